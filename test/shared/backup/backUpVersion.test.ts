import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import {
  backUpVersion,
  type BackUpVersionDependencies,
  type Delivery,
} from "../../../shared/backup/backUpVersion.ts"
import { type ErrorCode, ServiceError } from "../../../shared/errors.ts"
import { parseRecord } from "../../../shared/record/record.ts"
import { unsealRecord } from "../../../shared/record/unsealRecord.ts"
import { formatGapName, formatRecordName } from "../../../shared/store/blobName.ts"
import { parseLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import type { SecretReading } from "../../../shared/vault/vaultReader.ts"
import { aChange, anObject, aReading, vault as vaultUrl } from "../../support/builders.ts"
import { collect } from "../../support/collect.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { recipientPair } from "../../support/recipientPair.ts"
import { noCertificates } from "../../support/certificates.ts"

const pair = await recipientPair("EC", "recovery-1")
const delivery: Delivery = {
  enqueuedAt: new Date("2026-03-01T10:00:04Z"),
  receivedAt: new Date("2026-03-01T10:00:05Z"),
  failedAttempts: 0,
  replays: 0,
}
const object = anObject()
const blob = formatRecordName(object)
const value = "hunter2-hunter2"

/** Everything one backup needs, in memory, and the calls it makes in their order. */
function aWorld(overrides: Partial<BackUpVersionDependencies> = {}) {
  const calls: string[] = []
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const clock = fakeClock()
  const dependencies: BackUpVersionDependencies = {
    vault: {
      ...noCertificates,
      readSecret: (asked, options) => {
        calls.push(`GET ${asked.name}/${asked.version}`)
        return vault.readSecret(asked, options)
      },
    },
    store: {
      describeProtection: () => store.describeProtection(),
      putIfAbsent: (name, ...rest) => {
        calls.push(`PUT ${name}`)
        return store.putIfAbsent(name, ...rest)
      },
    },
    recipientsOf: async (of) => {
      calls.push(`recipients of ${of}`)
      return [pair.recipient]
    },
    clock: { ...clock, sleep: (ms, options) => (calls.push(`sleep ${ms}`), clock.sleep(ms, options)) },
    exclude: [],
    ...overrides,
  }
  const set = (reading: Parameters<typeof aReading>[0] = { value }, of = object) =>
    vault.set(of, aReading(reading))
  const run = (change = aChange(), of = delivery) => backUpVersion(change, of, dependencies)
  const blobs = () => collect(store.list(""))
  return { calls, vault, store, clock, set, run, blobs }
}

const failing = (code: ErrorCode) => async (): Promise<never> => {
  throw new ServiceError(code, "no")
}

describe("backUpVersion", () => {
  it("stores a version with one GET and one PUT, in this order", async () => {
    const { calls, set, run } = aWorld()
    set()
    await expect(run()).resolves.toEqual({ outcome: "stored", blob })
    expect(calls).toEqual([
      `GET ${object.name}/${object.version}`,
      `recipients of ${vaultUrl}`,
      `PUT ${blob}`,
    ])
  })

  it("stores a sealed record that opens to what the vault has", async () => {
    const { set, run, store, clock } = aWorld()
    set({ value, tags: { a: "ü" }, contentType: "text/plain" })
    await run()
    const sealed = await store.read(blob)
    expect(Buffer.from(sealed).toString()).not.toContain(value)
    const record = parseRecord(await unsealRecord(sealed, blob, [pair.openingKey]))
    expect(record).toMatchObject({
      object: { id: `${vaultUrl}/secrets/${object.name}/${object.version}` },
      value,
      tags: { a: "ü" },
      contentType: "text/plain",
      attributes: { enabled: true, created: "2026-03-01T10:00:00Z" },
      event: aChange().event,
      readAt: clock.now().toISOString(),
    })
  })

  it("writes each time of the ledger from its own source", async () => {
    const { set, run, blobs, store } = aWorld()
    set()
    await run(aChange({ origin: "replay" }), { ...delivery, failedAttempts: 2, replays: 1 })
    const { metadata } = (await blobs())[0]!
    expect(parseLedgerEntry(metadata)).toEqual({
      changedAt: new Date("2026-03-01T10:00:00Z"),
      eventAt: new Date("2026-03-01T10:00:00.123Z"),
      enqueuedAt: new Date("2026-03-01T10:00:04Z"),
      receivedAt: new Date("2026-03-01T10:00:05Z"),
      readAt: new Date("2026-03-01T10:00:05Z"),
      putAt: new Date("2026-03-01T10:00:05Z"),
      origin: "replay",
      attempt: 3,
      replays: 1,
      eventId: aChange().event?.id,
      kids: ["recovery-1"],
      format: "keyvault-backup/1",
      sha256: createHash("sha256")
        .update(await store.read(blob))
        .digest("hex"),
    })
  })

  it("leaves out times that do not exist", async () => {
    const { set, run, blobs } = aWorld()
    set({ value, attributes: { enabled: true } })
    const { event: _event, ...reconciled } = aChange({ origin: "reconcile" })
    const { enqueuedAt: _enqueuedAt, ...unqueued } = delivery
    await run(reconciled, unqueued)
    const { metadata } = (await blobs())[0]!
    expect(Object.keys(metadata).sort()).toEqual([
      "attempt",
      "format",
      "kid",
      "origin",
      "putat",
      "readat",
      "receivedat",
      "replays",
      "sha256",
    ])
  })

  it("says alreadyStored when the name is taken, and changes nothing", async () => {
    const { set, run, store } = aWorld()
    set()
    await run()
    const before = await store.read(blob)
    set({ value: "other" })
    await expect(run()).resolves.toEqual({ outcome: "alreadyStored", blob })
    expect(await store.read(blob)).toEqual(before)
  })

  it("keeps an empty value: it is a value", async () => {
    const { set, run } = aWorld()
    set({ value: "" })
    await expect(run()).resolves.toMatchObject({ outcome: "stored" })
  })

  it.each([
    { name: "the whole name", pattern: "db-password" },
    { name: "a pattern", pattern: "DB-*" },
  ])("skips what is excluded by $name, and reads nothing", async ({ pattern }) => {
    const { calls, run } = aWorld({ exclude: ["other", pattern] })
    await expect(run()).resolves.toEqual({ outcome: "skipped", reason: "excluded" })
    expect(calls).toEqual([])
  })
})

describe("backUpVersion on a version that cannot be read", () => {
  it.each([
    {
      name: "disabled",
      reading: { value, attributes: { enabled: false } },
      outcome: "unreadable",
      code: "ERR_VAULT_VERSION_DISABLED",
    },
    { name: "value-absent", reading: {}, outcome: "unreadable", code: "ERR_VAULT_VALUE_ABSENT" },
    { name: "gone", reading: undefined, outcome: "gone", code: "ERR_VAULT_VERSION_ABSENT" },
  ] as const)("writes a gap record: $name", async ({ name, reading, outcome, code }) => {
    const { set, run, store, blobs, clock } = aWorld()
    if (reading) set({ ...reading, tags: { note: value }, contentType: value })
    const gap = formatGapName(object, name)
    await expect(run()).resolves.toMatchObject({ outcome, blob: gap, error: { code } })
    const [found, ...rest] = await blobs()
    expect(rest).toEqual([])
    const body = Buffer.from(await store.read(gap))
    expect(JSON.parse(body.toString())).toEqual({
      format: "keyvault-gap/1",
      id: `${vaultUrl}/secrets/${object.name}/${object.version}`,
      reason: name,
      code,
      eventTime: "2026-03-01T10:00:00.1234567Z",
      triedAt: clock.now().toISOString(),
    })
    expect(body.toString() + JSON.stringify(found?.metadata)).not.toContain(value)
    expect(found?.metadata).toMatchObject({ code, format: "keyvault-gap/1", origin: "live", attempt: "1" })
    expect(found?.metadata["sha256"]).toBe(createHash("sha256").update(body).digest("hex"))
    expect(Object.keys(found?.metadata ?? {}).sort()).toEqual([
      "attempt",
      "code",
      "enqueuedat",
      "eventat",
      "eventid",
      "format",
      "origin",
      "putat",
      "receivedat",
      "replays",
      "sha256",
    ])
  })

  it("asks once more for a version that the vault has not, after half a second, and not a third time", async () => {
    const { calls, run } = aWorld()
    await run()
    const get = `GET ${object.name}/${object.version}`
    expect(calls).toEqual([get, "sleep 500", get, `PUT ${formatGapName(object, "gone")}`])
  })

  it("stores a version that the vault has at the second time of asking", async () => {
    const reads: Partial<SecretReading>[] = []
    const late = createMemoryVault()
    const { run } = aWorld({
      vault: {
        ...noCertificates,
        readSecret: async (asked) => {
          reads.push({})
          if (reads.length === 2) late.set(asked, aReading({ value }))
          return late.readSecret(asked)
        },
      },
    })
    await expect(run()).resolves.toEqual({ outcome: "stored", blob })
    expect(reads).toHaveLength(2)
  })

  it("defers when the second answer is another failure", async () => {
    const codes: ErrorCode[] = ["ERR_VAULT_VERSION_ABSENT", "ERR_VAULT_THROTTLED"]
    const { run, blobs } = aWorld({
      vault: { ...noCertificates, readSecret: () => failing(codes.shift() ?? "ERR_UNKNOWN")() },
    })
    await expect(run()).resolves.toMatchObject({
      outcome: "deferred",
      error: { code: "ERR_VAULT_THROTTLED" },
    })
    await expect(blobs()).resolves.toEqual([])
  })

  it("says gone again when the gap record is there already", async () => {
    const { run, blobs } = aWorld()
    await run()
    await expect(run()).resolves.toMatchObject({ outcome: "gone" })
    await expect(blobs()).resolves.toHaveLength(1)
  })

  it("defers when the gap record cannot be written", async () => {
    const { run } = aWorld({
      store: { putIfAbsent: failing("ERR_STORE_FIREWALL"), describeProtection: failing("ERR_UNKNOWN") },
    })
    await expect(run()).resolves.toMatchObject({ outcome: "deferred", error: { code: "ERR_STORE_FIREWALL" } })
  })
})

describe("backUpVersion in a fault", () => {
  const passing: ErrorCode[] = [
    "ERR_VAULT_FIREWALL",
    "ERR_VAULT_FORBIDDEN",
    "ERR_VAULT_THROTTLED",
    "ERR_VAULT_UNAVAILABLE",
    "ERR_VAULT_RESPONSE_INVALID",
    "ERR_IDENTITY_UNAVAILABLE",
    "ERR_UNKNOWN",
  ]
  it.each(passing.map((name) => ({ name })))(
    "defers when the vault says $name, and stores nothing",
    async ({ name }) => {
      const { calls, run } = aWorld({ vault: { ...noCertificates, readSecret: failing(name) } })
      await expect(run()).resolves.toMatchObject({ outcome: "deferred", error: { code: name } })
      expect(calls).toEqual([])
    },
  )

  const storeCodes: ErrorCode[] = [
    "ERR_STORE_FIREWALL",
    "ERR_STORE_FORBIDDEN",
    "ERR_STORE_UNAVAILABLE",
    "ERR_STORE_NOT_FOUND",
    "ERR_STORE_NOT_IMMUTABLE",
    "ERR_UNKNOWN",
  ]
  it.each(storeCodes.map((name) => ({ name })))("defers when the store says $name", async ({ name }) => {
    const { set, run } = aWorld({ store: { putIfAbsent: failing(name), describeProtection: failing(name) } })
    set()
    await expect(run()).resolves.toMatchObject({ outcome: "deferred", error: { code: name } })
  })

  const foreign = async (): Promise<never> => {
    throw new TypeError(`cannot read ${value}`)
  }
  it.each([
    { name: "the vault", overrides: { vault: { ...noCertificates, readSecret: foreign } } },
    { name: "the store", overrides: { store: { putIfAbsent: foreign, describeProtection: foreign } } },
    { name: "the recipients", overrides: { recipientsOf: foreign } },
    { name: "no recipients", overrides: { recipientsOf: async () => [] } },
  ])("never throws, and quotes nothing: $name", async ({ overrides }) => {
    const { set, run } = aWorld(overrides)
    set()
    const outcome = await run()
    expect(outcome).toMatchObject({ outcome: "deferred", error: { code: "ERR_UNKNOWN" } })
    expect(JSON.stringify(outcome)).not.toContain(value)
  })

  it("keeps what the service asked for", async () => {
    const error = new ServiceError("ERR_VAULT_THROTTLED", "slow", { retryAfterMs: 7000 })
    const { run } = aWorld({ vault: { ...noCertificates, readSecret: () => Promise.reject(error) } })
    await expect(run()).resolves.toEqual({ outcome: "deferred", error })
  })

  it("leaves nothing behind that a repetition would not make whole", async () => {
    const { set, run, store } = aWorld()
    set()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => run()))
    expect(outcomes.filter(({ outcome }) => outcome === "stored")).toHaveLength(1)
    await expect(collect(store.list("v1/"))).resolves.toHaveLength(1)
  })
})
