import { randomUUID } from "node:crypto"
import { type BlobLeaseClient, BlobServiceClient } from "@azure/storage-blob"
import { leaseBlob } from "../../shared/deadLetter/azureRunnerLease.ts"
import { sendChanges, writeDeadLetterBlob } from "./deadLetters.ts"
import { eventFacts, eventGridForm } from "./eventForms.ts"
import { eventually, type PlannedCloud } from "./plannedCloud.ts"
import { unheard } from "./reconcileJourney.ts"
import { endOfCommand, ok, type RoleStep } from "./roleStep.ts"

const leaseId = randomUUID()
const leaseSeconds = 60

/** Taking dead letters of the queue and of Event Grid back, alone; what is no event goes to quarantine. */
export const replaySteps: readonly RoleStep[] = [
  {
    name: "replay every source",
    prepare: makeDeadLetters,
    run: async (cloud) => {
      const end = endOfCommand(await cloud.cli("replay", "--execute"))
      return end === ok && deadLettersOf(cloud) > 0 ? "not replayed" : end
    },
  },
  {
    name: "find another run at work",
    prepare: async (cloud) => {
      await (await leaseOf(cloud)).acquireLease(leaseSeconds)
    },
    run: async (cloud) => {
      const end = endOfCommand(await cloud.cli("replay", "--execute"))
      return end === "ERR_REPLAY_LEASE_HELD" ? ok : end
    },
    cleanUp: async (cloud) => {
      await (await leaseOf(cloud)).releaseLease()
    },
  },
  { name: "tell its history", run: async (cloud) => endOfCommand(await cloud.cli("replay", "--history")) },
]

function deadLettersOf({ journey: { cloud } }: PlannedCloud): number {
  return cloud.serviceBus.counts()[cloud.file.serviceBus.queue]?.deadLettered ?? 0
}

async function makeDeadLetters(cloud: PlannedCloud): Promise<void> {
  const { journey } = cloud
  const before = deadLettersOf(cloud)
  // Live events of them would leave nothing to be sent.
  const event = async () => {
    const id = await unheard(journey, () => journey.set(cloud.newName("dead"), "value"))
    return eventGridForm(eventFacts(id))
  }
  // Bytes that are no UTF-8 the worker gives back, until the broker dead-letters them.
  await sendChanges(journey, [
    { body: Buffer.from(JSON.stringify(await event()), "utf16le") },
    { body: Buffer.from("café is no event", "latin1") },
  ])
  await eventually(() => (deadLettersOf(cloud) === before + 2 ? true : undefined))
  const dead = { deadLetterReason: "MaxDeliveryAttemptsExceeded", lastDeliveryOutcome: "TimedOut" }
  await writeDeadLetterBlob(journey, JSON.stringify([{ ...(await event()), ...dead }]), randomUUID())
}

/** The lease as another run of replay would hold it. */
async function leaseOf({ journey: { cloud } }: PlannedCloud): Promise<BlobLeaseClient> {
  const token = await cloud.authority.issue("replay", "blob")
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
  const { url, stateContainer } = cloud.file.blob
  const container = new BlobServiceClient(url, credential).getContainerClient(stateContainer)
  return container.getBlobClient(leaseBlob).getBlobLeaseClient(leaseId)
}
