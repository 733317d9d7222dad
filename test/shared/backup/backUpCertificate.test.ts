import { describe, expect, it } from "vitest"
import { backUpVersion, type BackUpVersionDependencies } from "../../../shared/backup/backUpVersion.ts"
import { openMaterial, pemContentType } from "../../../shared/certificate/certificateMaterial.ts"
import type { Change } from "../../../shared/change/change.ts"
import { formatVersionUrl, type ObjectVersion } from "../../../shared/change/objectVersion.ts"
import { type ErrorCode, ServiceError } from "../../../shared/errors.ts"
import { parseRecord } from "../../../shared/record/record.ts"
import { unsealRecord } from "../../../shared/record/unsealRecord.ts"
import { formatGapName, formatRecordName } from "../../../shared/store/blobName.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { aChain, certificateReadings, materialOf, newKey } from "../../support/aChain.ts"
import { aChange, anObject, vault as vaultUrl } from "../../support/builders.ts"
import { collect } from "../../support/collect.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { recipientPair } from "../../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")
const chain = aChain({ length: 2 })
const certificate = anObject({ kind: "certificate", name: "tls" })
const secret = anObject({ kind: "secret", name: "tls" })
const blob = formatRecordName(certificate)
const delivery = { receivedAt: new Date("2026-03-01T10:00:05Z"), failedAttempts: 0, replays: 0 }

function aWorld(overrides: Partial<BackUpVersionDependencies> = {}) {
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const dependencies: BackUpVersionDependencies = {
    vault,
    store,
    recipientsOf: async () => [pair.recipient],
    clock: fakeClock(),
    exclude: [],
    ...overrides,
  }
  return {
    vault,
    set: (given: Parameters<typeof certificateReadings>[1] = {}) => {
      const readings = certificateReadings(chain, given)
      vault.setCertificate(certificate, readings.certificate)
      vault.set(secret, readings.secret)
    },
    run: (object: ObjectVersion = certificate, change: Partial<Change> = {}) =>
      backUpVersion(aChange({ object, ...change }), delivery, dependencies),
    blobs: async () => (await collect(store.list(""))).map(({ name }) => name),
    metadata: async () => (await collect(store.list("")))[0]?.metadata ?? {},
    record: async () => parseRecord(await unsealRecord(await store.read(blob), blob, [pair.openingKey])),
    read: async (name: string) => Buffer.from(await store.read(name)).toString(),
  }
}

describe("backUpVersion of a certificate", () => {
  it("stores certificate, policy, chain and key in one record", async () => {
    const { set, run, record } = aWorld()
    set({ contentType: pemContentType, keyId: `${vaultUrl}/keys/tls/${certificate.version}` })
    await expect(run()).resolves.toEqual({ outcome: "stored", blob })
    const stored = await record()
    expect(stored).toMatchObject({
      object: { id: formatVersionUrl(certificate), kind: "certificate" },
      contentType: pemContentType,
      tags: { owner: "team-c" },
      managed: true,
      certificate: {
        cer: chain.certificates[0].toString("base64"),
        policy: { key_props: { exportable: true } },
        sid: formatVersionUrl(secret),
        kid: `${vaultUrl}/keys/tls/${certificate.version}`,
        privateKey: "present",
      },
    })
    const { certificates, privateKeys } = openMaterial(stored.value, stored.contentType)
    expect(certificates.map(({ raw }) => raw)).toEqual(chain.certificates)
    expect(privateKeys[0]?.equals(chain.key)).toBe(true)
  })

  it.each([
    { name: "certificate, secret", order: [certificate, secret] },
    { name: "secret, certificate", order: [secret, certificate] },
    { name: "each three times", order: [secret, certificate, secret, certificate, certificate, secret] },
  ])("leaves one blob for its events in any order: $name", async ({ order }) => {
    const { set, run, blobs, record } = aWorld()
    set()
    const outcomes = []
    for (const object of order) outcomes.push((await run(object)).outcome)
    expect(outcomes).toEqual(["stored", ...order.slice(1).map(() => "alreadyStored")])
    await expect(blobs()).resolves.toEqual([blob])
    await expect(record()).resolves.toMatchObject({ object: { kind: "certificate" } })
  })

  it("leaves one blob for its events at the same time", async () => {
    const { set, run, blobs } = aWorld()
    set()
    const all = Array.from({ length: 10 }, (_, n) => run(n % 2 === 0 ? certificate : secret))
    const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1)
    await expect(blobs()).resolves.toEqual([blob])
  })

  it("says of a key that stays in the vault that its record has the public part only", async () => {
    const { set, run, record, metadata } = aWorld()
    set({ exportable: false })
    await expect(run()).resolves.toEqual({ outcome: "stored", blob, privateKey: "absentByPolicy" })
    await expect(record()).resolves.toMatchObject({ certificate: { privateKey: "absentByPolicy" } })
    await expect(metadata()).resolves.toMatchObject({ privatekey: "absentByPolicy" })
  })

  it("is not deceived by a policy that was changed since", async () => {
    const { set, run } = aWorld()
    set({ exportable: false, policy: { key_props: { exportable: true } } })
    await expect(run()).resolves.toMatchObject({ privateKey: "absentByPolicy" })
    const other = aWorld()
    other.set({ policy: { key_props: { exportable: false } } })
    await expect(other.run()).resolves.toEqual({ outcome: "stored", blob })
    await expect(other.metadata()).resolves.not.toHaveProperty("privatekey")
  })

  it.each([
    { name: "its certificate", tags: "certificate" },
    { name: "its secret alone, which counts for nothing", tags: "secret" },
  ])("is of origin restore when restore's tag is on $name", async ({ tags }) => {
    const { set, vault, run, metadata } = aWorld()
    const tagged = { "kvb-restored-from": "https://kv-old.vault.azure.net/certificates/tls/1" }
    if (tags === "certificate") set({ tags: tagged })
    else {
      set()
      vault.set(secret, { ...certificateReadings(chain).secret, tags: tagged })
    }
    const outcome = await run()
    const ledger = await metadata()
    expect(ledger["origin"]).toBe(tags === "certificate" ? "restore" : "live")
    expect(JSON.stringify([outcome, ledger])).not.toContain("kv-old")
  })
})

describe("backUpVersion of a certificate that cannot be had", () => {
  it.each([
    { name: "another vault", sid: `https://evil.example/secrets/tls/${secret.version}` },
    { name: "another secret", sid: formatVersionUrl(anObject()) },
    { name: "nothing", sid: "nonsense" },
  ])("defers and stores nothing when the sid names $name", async ({ sid }) => {
    const { set, run, blobs } = aWorld()
    set({ secretId: sid })
    await expect(run()).resolves.toMatchObject({
      outcome: "deferred",
      error: { code: "ERR_VAULT_RESPONSE_INVALID" },
    })
    await expect(blobs()).resolves.toEqual([])
  })

  it.each([
    { name: "the key of another", value: () => materialOf(newKey(), chain.certificates) },
    { name: "another certificate", value: () => materialOf(undefined, aChain().certificates) },
  ])("defers and stores nothing when the secret holds $name", async ({ value }) => {
    const { set, run, blobs } = aWorld()
    set({ value: value() })
    await expect(run()).resolves.toMatchObject({
      outcome: "deferred",
      error: { code: "ERR_VAULT_RESPONSE_INVALID" },
    })
    await expect(blobs()).resolves.toEqual([])
  })

  const gaps = [
    { name: "disabled", reason: "disabled", outcome: "unreadable", code: "ERR_VAULT_VERSION_DISABLED" },
    { name: "value absent", reason: "value-absent", outcome: "unreadable", code: "ERR_VAULT_VALUE_ABSENT" },
    { name: "gone", reason: "gone", outcome: "gone", code: "ERR_VAULT_VERSION_ABSENT" },
  ] as const
  it.each(
    gaps.flatMap((gap) => [certificate, secret].map((object) => ({ ...gap, object, kind: object.kind }))),
  )(
    "writes a gap record without attributes or tags: $name, by its $kind event",
    async ({ name, reason, outcome, code, object }) => {
      const { set, vault, run, blobs, read, metadata } = aWorld()
      if (name !== "gone") set({ tags: { note: "hunter2-tag" } })
      const { secret: reading } = certificateReadings(chain)
      if (name === "disabled") vault.set(secret, { ...reading, attributes: { enabled: false } })
      if (name === "value absent") vault.set(secret, { managed: true })
      const result = await run(object)
      expect(result).toMatchObject({ outcome, error: { code } })
      const gap = formatGapName(object, reason)
      await expect(blobs()).resolves.toEqual([gap])
      expect(Object.keys(JSON.parse(await read(gap)) as object)).toEqual([
        "format",
        "id",
        "reason",
        "code",
        "eventTime",
        "triedAt",
      ])
      expect((await read(gap)) + JSON.stringify(await metadata())).not.toContain("hunter2")
    },
  )

  const passing: ErrorCode[] = [
    "ERR_VAULT_FORBIDDEN",
    "ERR_VAULT_FIREWALL",
    "ERR_VAULT_THROTTLED",
    "ERR_UNKNOWN",
  ]
  it.each(passing.flatMap((code) => [1, 2].map((at) => ({ code, at }))))(
    "defers and stores nothing when GET number $at is answered $code",
    async ({ code, at }) => {
      const memory = createMemoryVault()
      const readings = certificateReadings(chain)
      memory.setCertificate(certificate, readings.certificate)
      memory.set(secret, readings.secret)
      let gets = 0
      const failing =
        <T>(read: (object: ObjectVersion) => Promise<T>) =>
        async (object: ObjectVersion) => {
          gets += 1
          if (gets === at) throw new ServiceError(code, "no")
          return read(object)
        }
      const vault = {
        readSecret: failing(memory.readSecret),
        readCertificate: failing(memory.readCertificate),
      }
      for (const object of [certificate, secret]) {
        gets = 0
        const { run, blobs } = aWorld({ vault })
        await expect(run(object)).resolves.toMatchObject({ outcome: "deferred", error: { code } })
        await expect(blobs()).resolves.toEqual([])
      }
    },
  )

  it("is stored once its version can be read: a gap record does not stand in the way", async () => {
    const { set, vault, run, blobs } = aWorld()
    set()
    vault.set(secret, { ...certificateReadings(chain).secret, attributes: { enabled: false } })
    await run()
    set()
    await expect(run(certificate, { origin: "reconcile" })).resolves.toMatchObject({ outcome: "stored" })
    await expect(blobs()).resolves.toEqual([formatGapName(certificate, "disabled"), blob].toSorted())
  })
})
