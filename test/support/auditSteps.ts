import { addDays, lastClosedDay } from "../../shared/digest/digestDay.ts"
import { eventFacts, eventGridForm } from "./eventForms.ts"
import type { PlannedCloud } from "./plannedCloud.ts"
import { namesIn } from "./reconcileJourney.ts"
import { endOfCommand, endOfTimer, type RoleStep } from "./roleStep.ts"

/** Reports, signals and digests. */
export const auditSteps: readonly RoleStep[] = [
  { name: "audit", run: async (cloud) => endOfCommand(await cloud.cli("audit")) },
  { name: "tell the status", run: async (cloud) => endOfCommand(await cloud.cli("status")) },
  {
    name: "watch the backlog",
    prepare: quarantineAChange,
    run: (cloud) => endOfTimer(cloud, "watchBacklog", "backlog.unknown"),
  },
  {
    name: "write a digest",
    prepare: removeTheNewestDigest,
    run: (cloud) => endOfTimer(cloud, "writeDigest", "digest.failed"),
  },
  {
    name: "prove the digests",
    run: async (cloud) =>
      endOfCommand(await cloud.cli("audit", "--prove", "all", "--digest-key", cloud.digestKey)),
  },
]

/** So that the store is asked whether it is protected. */
async function quarantineAChange({ journey }: PlannedCloud): Promise<void> {
  const id = journey.outcomes().find((said) => said.outcome === "stored")?.id ?? ""
  const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.quarantineQueue)
  await sender.sendMessages({ body: Buffer.from(JSON.stringify(eventGridForm(eventFacts(id)))) })
  await sender.close()
}

/** The one before it stays, to be read. */
async function removeTheNewestDigest({ journey, runTimer }: PlannedCloud): Promise<void> {
  const { container } = journey.cloud.file.blob
  const day = lastClosedDay(new Date())
  const backdoor = (name: string, rest: object) =>
    journey.control("POST /backdoor/blobs", { container, name, ...rest })
  if (namesIn(journey, "digest/").length === 0) {
    const [stored = ""] = namesIn(journey, "v1/")
    await backdoor(stored, { action: "alter", createdAt: `${addDays(day, -1)}T10:00:00Z` })
    await runTimer("writeDigest")
  }
  for (const name of namesIn(journey, `digest/v1/${day}`)) await backdoor(name, { action: "remove" })
}
