import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SecretClient } from "@azure/keyvault-secrets"
import { ServiceBusClient, type ServiceBusReceiver } from "@azure/service-bus"
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { CloudFile } from "../../../local/cloud/cloudFile.ts"
import { type LiveCloud, startLive } from "../../support/startLive.ts"

const isSlow = process.env["SLOW"] === "1"
const rounds = isSlow ? 20 : 2
/** Of messages acknowledged in each round before the kill, which strikes while more are under way. */
const messagesPerRound = 100

let directory: string
let running: LiveCloud | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kill-"))
})
afterEach(async () => {
  running?.node.kill()
  await rm(directory, { recursive: true, force: true })
})

async function start(): Promise<CloudFile> {
  running = await startLive(directory, "--keep", join(directory, "kept"))
  return running.file
}

/** SIGKILL for the cloud itself; what it started has to end by itself. */
async function kill(): Promise<void> {
  const { node } = running!
  node.signal("SIGKILL")
  await vi.waitFor(() => expect(node.isGroupAlive()).toBe(false), { timeout: 5000, interval: 10 })
}

/** What servers acknowledged, and what was asked of them, over all rounds. */
class Record {
  readonly sent = new Set<string>()
  readonly completing = new Set<string>()
  readonly completed = new Set<string>()
  /** Messages that were delivered although their completion had been acknowledged. */
  readonly returned: string[] = []
  readonly secrets = new Map<string, string>()
  readonly blobs = new Map<string, string>()

  sizes() {
    const { sent, completed, secrets, blobs } = this
    return { sent: sent.size, completed: completed.size, secrets: secrets.size, blobs: blobs.size }
  }
}

const credentialOf = ({ identities }: CloudFile, job: string, audience: "vault" | "blob" | "serviceBus") => ({
  getToken: async () => ({
    token: identities[job]!.tokens[audience],
    expiresOnTimestamp: Date.now() + 86_400_000,
  }),
})

const busOf = (file: CloudFile) =>
  new ServiceBusClient(file.serviceBus.fullyQualifiedNamespace, credentialOf(file, "user", "serviceBus"), {
    retryOptions: { maxRetries: 0, timeoutInMs: 2000 },
  })

const containerOf = (file: CloudFile, job: string) =>
  new BlobServiceClient(file.blob.url, credentialOf(file, job, "blob"), {
    retryOptions: { maxTries: 1 },
  }).getContainerClient(file.blob.container)

const vaultOf = (file: CloudFile) =>
  new SecretClient(file.vaults[0]!.url, credentialOf(file, "user", "vault"), {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
  })

function addressesOf({ control, vaults, blob, serviceBus, identityEndpoint, arm, functions }: CloudFile) {
  return {
    vaults,
    blob,
    namespace: serviceBus.fullyQualifiedNamespace,
    urls: [control.url, identityEndpoint.url, arm.url, functions.url],
  }
}

async function take(receiver: ServiceBusReceiver, record: Record, maxWaitTimeInMs: number): Promise<number> {
  const messages = await receiver.receiveMessages(20, { maxWaitTimeInMs })
  await Promise.all(
    messages.map(async (message) => {
      const id = String(message.messageId)
      if (record.completed.has(id)) record.returned.push(id)
      record.completing.add(id)
      await receiver.completeMessage(message)
      record.completed.add(id)
    }),
  )
  return messages.length
}

/** Sends, receives, sets secrets and adds blobs until the cloud is killed in the middle of it. */
async function runRound(round: number, file: CloudFile, record: Record, clients: Clients): Promise<void> {
  const bus = busOf(file)
  const sender = bus.createSender(file.serviceBus.quarantineQueue)
  const receiver = bus.createReceiver(file.serviceBus.quarantineQueue)
  const forever = async (step: (n: number) => Promise<unknown>) => {
    for (let n = 0; ; n += 1) await step(n)
  }
  const send = (worker: number) =>
    forever(async (n) => {
      const messageId = `${round}-${worker}-${n}`
      await sender.sendMessages({ body: messageId, messageId })
      record.sent.add(messageId)
    })
  const work = [
    ...[0, 1, 2, 3].map(send),
    forever(() => take(receiver, record, 500)),
    forever(async (n) => {
      const [name, value] = [`kill-${round}-${n}`, `value ${round} ${n}`]
      await clients.vault.setSecret(name, value)
      record.secrets.set(name, value)
    }),
    forever(async (n) => {
      const [name, body] = [`probe/kill-${round}-${n}`, `body ${round} ${n}`]
      await clients.adding.getBlockBlobClient(name).upload(body, body.length)
      record.blobs.set(name, body)
    }),
  ]
  const ends = Promise.allSettled(work)
  const before = record.sizes()
  await vi.waitFor(
    () => {
      const { sent, completed, secrets, blobs } = record.sizes()
      expect(sent - before.sent).toBeGreaterThanOrEqual(messagesPerRound)
      expect(completed - before.completed).toBeGreaterThanOrEqual(messagesPerRound / 2)
      expect(Math.min(secrets - before.secrets, blobs - before.blobs)).toBeGreaterThanOrEqual(5)
    },
    { timeout: 20_000, interval: 2 },
  )
  await kill()
  expect((await ends).filter(({ status }) => status === "fulfilled")).toEqual([])
  await bus.close().catch(() => {})
}

interface Clients {
  readonly vault: SecretClient
  readonly adding: ContainerClient
}

/** Ids of everything in the queue and in its dead letters. */
async function idsLeft(file: CloudFile): Promise<string[]> {
  const bus = busOf(file)
  const ids: string[] = []
  for (const options of [{}, { subQueueType: "deadLetter" as const }]) {
    const receiver = bus.createReceiver(file.serviceBus.quarantineQueue, options)
    for (;;) {
      const page = await receiver.peekMessages(250)
      if (page.length === 0) break
      ids.push(...page.map(({ messageId }) => String(messageId)))
    }
  }
  await bus.close()
  return ids
}

describe("startCloud: kept in a directory", () => {
  it(`has everything it acknowledged after kill -9, ${rounds} times over`, { timeout: 400_000 }, async () => {
    const first = await start()
    const clients = { vault: vaultOf(first), adding: containerOf(first, "backup") }
    const record = new Record()
    for (let round = 0; round < rounds; round += 1) {
      await runRound(round, round === 0 ? first : running!.file, record, clients)
      // The clients of the vault and the store are those of the first start, with its tokens.
      expect(addressesOf(await start())).toEqual(addressesOf(first))
    }
    const { file } = running!
    expect(record.sizes().sent).toBeGreaterThanOrEqual(rounds * messagesPerRound)

    const left = await idsLeft(file)
    expect([...record.sent].filter((id) => !record.completing.has(id) && !left.includes(id))).toEqual([])
    expect(left.filter((id) => record.completed.has(id))).toEqual([])
    expect(left).toHaveLength(new Set(left).size)

    const bus = busOf(file)
    const receiver = bus.createReceiver(file.serviceBus.quarantineQueue)
    while ((await take(receiver, record, 300)) > 0);
    await bus.close()
    expect(await idsLeft(file)).toEqual([])
    expect([...record.sent].filter((id) => !record.completing.has(id))).toEqual([])
    expect(record.returned).toEqual([])

    const values = [...record.secrets].map(async ([name]) => [
      name,
      (await clients.vault.getSecret(name)).value,
    ])
    expect(new Map((await Promise.all(values)) as [string, string][])).toEqual(record.secrets)
    const reading = containerOf(file, "user")
    const bodies = [...record.blobs].map(async ([name]) => [
      name,
      (await reading.getBlobClient(name).downloadToBuffer()).toString(),
    ])
    expect(new Map((await Promise.all(bodies)) as [string, string][])).toEqual(record.blobs)
  })
})
