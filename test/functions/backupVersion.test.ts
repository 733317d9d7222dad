import { InvocationContext } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { type BackupVersionApp, createBackupVersionHandler } from "../../functions/backupVersion.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { ServiceError } from "../../shared/errors.ts"
import { createMemoryChangeQueue } from "../../shared/queue/memoryChangeQueue.ts"
import { parseRecord } from "../../shared/record/record.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { formatGapName, formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import {
  aChange,
  aCloudEvent,
  anEventGridEvent,
  anObject,
  aReading,
  vault as vaultUrl,
} from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { collect } from "../support/collect.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")
const value = "hunter2-hunter2"
const object = anObject()
const blob = formatRecordName(object)

interface Delivered {
  readonly properties?: Readonly<Record<string, unknown>>
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A worker in memory, and `deliver`, which hands it one message as the Functions library does. */
function aWorker(more: Partial<BackupVersionApp> = {}, backup: Partial<BackupVersionApp["backup"]> = {}) {
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const changes = createMemoryChangeQueue()
  const quarantine = createMemoryChangeQueue()
  const log = capturingLog()
  const clock = fakeClock()
  const app: BackupVersionApp = {
    allowList: createAllowList([vaultUrl]),
    backup: {
      vault,
      store,
      recipientsOf: async () => [pair.recipient],
      clock,
      exclude: ["tmp-*"],
      ...backup,
    },
    changes,
    quarantine,
    telemetry: silentTelemetry(),
    retry: { firstDelayMs: 15_000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 },
    clock,
    log,
    random: () => 0.5,
    ...more,
  }
  vault.set(object, aReading({ value }))
  const handler = createBackupVersionHandler(() => app)
  const deliver = async (body: unknown, { properties = {}, metadata = {} }: Delivered = {}) => {
    const triggerMetadata = {
      messageId: "m1",
      enqueuedTimeUtc: "2026-03-01T10:00:04.000Z",
      deliveryCount: 1,
      applicationProperties: properties,
      ...metadata,
    }
    await handler(
      body,
      new InvocationContext({ functionName: "backupVersion", invocationId: "i", triggerMetadata }),
    )
  }
  const names = async () => (await collect(store.list(""))).map(({ name }) => name)
  const metadataOf = async (name: string) => (await collect(store.list(name)))[0]?.metadata
  const recordOf = async (name: string) =>
    parseRecord(await unsealRecord(await store.read(name), name, [pair.openingKey]))
  return { app, vault, store, changes, quarantine, log, clock, deliver, names, metadataOf, recordOf }
}

const forms = [
  { name: "an Event Grid event", body: anEventGridEvent() },
  { name: "a CloudEvent", body: aCloudEvent() },
  { name: "a change message", body: JSON.parse(formatChangeMessage(aChange())) as unknown },
]

describe("createBackupVersionHandler", () => {
  it.each(forms)("stores the version that $name names", async ({ body }) => {
    const { deliver, names, metadataOf, changes, quarantine, log } = aWorker()
    await expect(deliver(body)).resolves.toBeUndefined()
    await expect(names()).resolves.toEqual([blob])
    await expect(metadataOf(blob)).resolves.toMatchObject({
      origin: "live",
      attempt: "1",
      replays: "0",
      eventat: "2026-03-01T10:00:00.123Z",
      enqueuedat: "2026-03-01T10:00:04.000Z",
      receivedat: "2026-03-01T10:00:05.000Z",
    })
    expect([changes.sent, quarantine.sent]).toEqual([[], []])
    expect(log.entries()).toMatchObject([
      {
        level: "info",
        event: "backup.outcome",
        outcome: "stored",
        origin: "live",
        attempt: 1,
        blob,
        messageId: "m1",
      },
    ])
  })

  it("makes one record of all forms of a message, but for the time of reading", async () => {
    const records = []
    for (const { body } of forms) {
      const { deliver, recordOf } = aWorker()
      await deliver(body)
      const { readAt: _readAt, ...record } = await recordOf(blob)
      records.push(record)
    }
    expect(records[0]).toMatchObject({ value, event: aChange().event })
    expect(records[1]).toEqual(records[0])
    expect(records[2]).toEqual(records[0])
  })

  it.each([
    { name: "text in base64", body: Buffer.from(JSON.stringify(anEventGridEvent())).toString("base64") },
    { name: "text behind a byte order mark", body: `\uFEFF${JSON.stringify(anEventGridEvent())}` },
    { name: "bytes", body: Buffer.from(JSON.stringify(anEventGridEvent())) },
    { name: "an array of one", body: [anEventGridEvent()] },
  ])("stores what arrives as $name", async ({ body }) => {
    const { deliver, names } = aWorker()
    await deliver(body)
    await expect(names()).resolves.toEqual([blob])
  })

  it("makes one blob of a hundred deliveries", async () => {
    const { deliver, names, log } = aWorker()
    for (let n = 0; n < 100; n++) await deliver(forms[n % 3]?.body)
    await expect(names()).resolves.toEqual([blob])
    const outcomes = log.entries().map((entry) => entry["outcome"])
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === "alreadyStored")).toHaveLength(99)
  })

  it("lets the origin in the properties win over the body's", async () => {
    const { deliver, metadataOf } = aWorker()
    const body: unknown = JSON.parse(formatChangeMessage(aChange({ origin: "reconcile" })))
    await deliver(body, { properties: { "kvb-origin": "replay", "kvb-replays": "2", "kvb-attempt": 3 } })
    await expect(metadataOf(blob)).resolves.toMatchObject({ origin: "replay", replays: "2", attempt: "4" })
  })

  it("takes latency from the first time in the queue", async () => {
    const { deliver, metadataOf } = aWorker()
    await deliver(anEventGridEvent(), { properties: { "kvb-first-enqueued": "2026-03-01T09:00:00.000Z" } })
    await expect(metadataOf(blob)).resolves.toMatchObject({ enqueuedat: "2026-03-01T09:00:00.000Z" })
  })

  const canarySecret = `${vaultUrl}/secrets/db-password`
  it.each([
    { name: "a live change of the canary's secret", canarySecret, properties: {}, is: "canary" },
    {
      name: "a live change that was deferred",
      canarySecret,
      properties: { "kvb-origin": "live" },
      is: "canary",
    },
    { name: "a replayed change of it", canarySecret, properties: { "kvb-origin": "replay" }, is: "replay" },
    {
      name: "a change of a secret whose name begins alike",
      canarySecret: `${vaultUrl}/secrets/db`,
      properties: {},
      is: "live",
    },
  ])("gives $name the origin $is", async ({ canarySecret: secret, properties, is }) => {
    const { deliver, metadataOf } = aWorker({ canarySecret: secret })
    await deliver(anEventGridEvent(), { properties })
    await expect(metadataOf(blob)).resolves.toMatchObject({ origin: is })
  })

  it.each([
    { name: "a near expiry", change: { eventType: "Microsoft.KeyVault.SecretNearExpiry" }, level: "info" },
    {
      name: "a type it does not know, with a warning",
      change: { eventType: "Microsoft.KeyVault.SecretRotated" },
      level: "warn",
    },
    {
      name: "an excluded name",
      change: { data: { Id: `${vaultUrl}/secrets/TMP-1/${object.version}` } },
      level: "info",
    },
  ])("skips $name: no read, no blob, no message", async ({ change, level }) => {
    const { deliver, vault, names, changes, quarantine, log } = aWorker()
    await expect(deliver({ ...anEventGridEvent(), ...change })).resolves.toBeUndefined()
    expect([vault.reads, await names(), changes.sent, quarantine.sent]).toEqual([0, [], [], []])
    expect(log.entries()).toMatchObject([{ level, outcome: "skipped" }])
  })

  const event = anEventGridEvent()
  it.each([
    { name: "no event", body: { hello: 1 }, code: "ERR_EVENT_MALFORMED" },
    { name: "text", body: "hello", code: "ERR_EVENT_MALFORMED" },
    { name: "an empty array", body: [], code: "ERR_EVENT_MALFORMED" },
    {
      name: "another vault",
      body: anEventGridEvent(anObject({ host: "evil.example" })),
      code: "ERR_EVENT_NOT_ALLOWED",
    },
    {
      name: "a body that would stand in for the delivery count",
      body: { ...event, DeliveryCount: 1 },
      code: "ERR_EVENT_COLLISION",
    },
    {
      name: "a body that would stand in for the properties",
      body: { ...event, applicationProperties: { "kvb-origin": "replay" } },
      code: "ERR_EVENT_COLLISION",
    },
    {
      name: "a body that contradicts its id",
      body: { ...event, data: { ...event.data, Version: "0".repeat(32) } },
      code: "ERR_EVENT_COLLISION",
    },
  ])(
    "quarantines $name after one delivery: no read, no blob, the body as it came",
    async ({ body, code }) => {
      const { deliver, vault, names, changes, quarantine, log } = aWorker()
      await expect(deliver(body)).resolves.toBeUndefined()
      expect([vault.reads, await names(), changes.sent]).toEqual([0, [], []])
      expect(quarantine.sent).toMatchObject([
        { properties: { "kvb-last-code": code, "kvb-original-id": "m1" } },
      ])
      const sent = String(quarantine.sent[0]?.body)
      expect(typeof body === "string" ? sent : JSON.parse(sent)).toEqual(body)
      expect(log.entries()[0]).toMatchObject({ level: "error", outcome: "poison", code })
    },
  )

  it("throws what arrived lossy, and does nothing else", async () => {
    const { deliver, vault, changes, quarantine } = aWorker()
    const body = { ...event, topic: "caf\uFFFD" }
    await expect(deliver(body)).rejects.toMatchObject({ code: "ERR_EVENT_LOSSY" })
    expect([vault.reads, changes.sent, quarantine.sent]).toEqual([0, [], []])
  })

  it("writes a gap record for a disabled version, completes, and says so loudly", async () => {
    const { deliver, vault, names, log, changes, quarantine } = aWorker()
    vault.set(object, aReading({ value, attributes: { enabled: false } }))
    await deliver(event)
    await expect(names()).resolves.toEqual([formatGapName(object, "disabled")])
    expect([changes.sent, quarantine.sent]).toEqual([[], []])
    expect(log.entries()).toMatchObject([
      {
        level: "error",
        outcome: "unreadable",
        code: "ERR_VAULT_VERSION_DISABLED",
        name: "db-password",
        host: object.host,
      },
    ])
  })

  it("defers a change in a fault and stores it when the copy comes back, as the second attempt", async () => {
    const memory = createMemoryVault()
    memory.set(object, aReading({ value }))
    let faults = 1
    const readSecret: typeof memory.readSecret = (...asked) =>
      faults-- > 0
        ? Promise.reject(new ServiceError("ERR_VAULT_FIREWALL", "no"))
        : memory.readSecret(...asked)
    const { deliver, changes, names, metadataOf, recordOf } = aWorker(
      {},
      { vault: { ...memory, readSecret } },
    )
    await deliver(event)
    await expect(names()).resolves.toEqual([])
    const [copy] = changes.sent
    await deliver(JSON.parse(String(copy?.body)), {
      properties: copy?.properties ?? {},
      metadata: { messageId: copy?.messageId, enqueuedTimeUtc: "2026-03-01T10:00:20.000Z" },
    })
    await expect(metadataOf(blob)).resolves.toMatchObject({
      attempt: "2",
      origin: "live",
      enqueuedat: "2026-03-01T10:00:04.000Z",
      eventat: "2026-03-01T10:00:00.123Z",
    })
    await expect(recordOf(blob)).resolves.toMatchObject({ value, event: aChange().event })
  })

  it("stores and defers the good items of an array before it quarantines the message", async () => {
    const { deliver, vault, names, quarantine, log } = aWorker()
    const second = anObject({ version: 2 })
    vault.set(second, aReading({ value }))
    const body = [event, { hello: 1 }, anEventGridEvent(second)]
    await deliver(body)
    await expect(names()).resolves.toEqual([blob, formatRecordName(second)])
    expect(quarantine.sent).toHaveLength(1)
    expect(JSON.parse(String(quarantine.sent[0]?.body))).toEqual(body)
    expect(log.entries().map((entry) => entry["outcome"] ?? entry.event)).toEqual([
      "stored",
      "poison",
      "stored",
      "message.quarantined",
    ])
  })

  it("writes no value, tag or content type to the log, whatever becomes of the message", async () => {
    const reading = aReading({ value, tags: { [value]: value }, contentType: value })
    for (const attributes of [{ enabled: true }, { enabled: false }]) {
      const { deliver, vault, log } = aWorker()
      vault.set(object, { ...reading, attributes })
      await deliver(event)
      await deliver(value)
      await deliver({ change: { note: value } })
      expect(log.lines.length).toBeGreaterThanOrEqual(5)
      expect(log.lines.join("\n")).not.toContain(value)
    }
  })

  it("fails the delivery when the worker has not started", async () => {
    const handler = createBackupVersionHandler(() => {
      throw new Error("The worker has not started")
    })
    await expect(Promise.resolve().then(() => handler(event, new InvocationContext()))).rejects.toThrow(
      /not started/,
    )
  })
})
