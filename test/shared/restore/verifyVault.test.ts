import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { buildRecord, serializeRecord } from "../../../shared/record/record.ts"
import { sealRecord } from "../../../shared/record/sealRecord.ts"
import { verifyVault, type VerifyVaultOptions } from "../../../shared/restore/verifyVault.ts"
import { SecretValue } from "../../../shared/secretValue.ts"
import { formatGapName, formatRecordName, sealNameOf } from "../../../shared/store/blobName.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { aChange, anObject, aReading, vault } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { recipientPair } from "../../support/recipientPair.ts"
import { noCertificates, noListedCertificates } from "../../support/certificates.ts"

const pair = await recipientPair("EC", "recovery-1")
const graceMs = 60_000
const object = anObject()
const id = formatVersionUrl(object)
const blob = formatRecordName(object)
const old = { enabled: true, created: new Date("2026-03-01T08:00:00Z") }
const readAt = new Date("2026-03-01T08:00:05Z")

interface GivenRecord {
  readonly of?: typeof object
  readonly value?: string
  readonly name?: string
  readonly sealedAs?: string
  readonly about?: typeof object
  /** `null`: the ledger entry has none. */
  readonly sha256?: string | null
}

function aWorld() {
  const memory = createMemoryVault()
  const store = createMemoryStore()
  const options = (more: Partial<VerifyVaultOptions> = {}): VerifyVaultOptions => ({
    vault,
    vaultCatalog: memory,
    storeCatalog: store,
    clock: fakeClock("2026-03-01T10:00:00Z"),
    graceMs,
    exclude: [],
    ...more,
  })
  const deep = { vaultReader: memory, storeReader: store, keys: [pair.openingKey], concurrency: 4 }
  return {
    memory,
    store,
    deep,
    options,
    set: (of = object, reading: Parameters<typeof aReading>[0] = {}) =>
      memory.set(of, aReading({ value: "hunter2", attributes: old, ...reading })),
    /** Puts a record in; what differs from a good one is given. */
    record: async (given: GivenRecord = {}) => {
      const { of = object, value = "hunter2", sha256 } = given
      const { name = formatRecordName(of), about = of } = given
      const { sealedAs = name } = given
      const reading = { id, tags: {}, attributes: old, managed: false, value: new SecretValue(value) }
      const plain = serializeRecord(
        buildRecord({ object: about, secret: reading }, aChange().event, value, readAt),
      )
      const sealed = await sealRecord(plain, sealNameOf(sealedAs), [pair.recipient])
      const digest = createHash("sha256").update(sealed).digest("hex")
      await store.putIfAbsent(name, sealed, "", sha256 === null ? {} : { sha256: sha256 ?? digest })
    },
    gap: (of = object) => store.putIfAbsent(formatGapName(of, "disabled"), Buffer.from("x"), "", {}),
    run: (more: Partial<VerifyVaultOptions> = {}) => verifyVault(options(more)),
    runDeep: (more: Partial<VerifyVaultOptions["deep"]> = {}) =>
      verifyVault(options({ deep: { ...deep, ...more } })),
  }
}

describe("verifyVault", () => {
  it("finds nothing where nothing is", async () => {
    await expect(aWorld().run()).resolves.toEqual([])
  })

  it("calls a version protected that has a record", async () => {
    const { set, record, run } = aWorld()
    set()
    await record()
    await expect(run()).resolves.toEqual([{ id, finding: "protected", blob }])
  })

  it("tells a gap with its reason", async () => {
    const { set, gap, run } = aWorld()
    set()
    await gap()
    await expect(run()).resolves.toEqual([{ id, finding: "gap", reason: "disabled" }])
  })

  it("calls a version protected that has a gap record and a record", async () => {
    const { set, gap, record, run } = aWorld()
    set()
    await gap()
    await record()
    await expect(run()).resolves.toMatchObject([{ finding: "protected" }])
  })

  it.each([
    { name: "old", attributes: old, finding: "missing" },
    { name: "of unknown age", attributes: { enabled: true }, finding: "missing" },
    {
      name: "as old as the grace",
      attributes: { enabled: true, created: new Date("2026-03-01T09:59:00Z") },
      finding: "missing",
    },
    {
      name: "younger than the grace",
      attributes: { enabled: true, created: new Date("2026-03-01T09:59:01Z") },
      finding: "inFlight",
    },
    { name: "disabled, without a gap record", attributes: { ...old, enabled: false }, finding: "missing" },
  ])("tells a version that is $name: $finding", async ({ attributes, finding }) => {
    const { set, run } = aWorld()
    set(object, { attributes })
    await expect(run()).resolves.toEqual([{ id, finding }])
  })

  it("counts the secret behind a certificate as the certificate", async () => {
    const { set, run } = aWorld()
    set(object, { managed: true, attributes: old })
    await expect(run()).resolves.toEqual([
      { id: id.replace("/secrets/", "/certificates/"), finding: "missing" },
    ])
  })

  it("tells a version whose name is excluded, unless it is stored", async () => {
    const { set, record, run } = aWorld()
    const stored = anObject({ version: 2 })
    set()
    set(stored)
    await record({ of: stored })
    await expect(run({ exclude: ["db-*"] })).resolves.toEqual([
      { id, finding: "excluded" },
      { id: formatVersionUrl(stored), finding: "protected", blob: formatRecordName(stored) },
    ])
  })

  it("tells a record whose version the vault lists no more", async () => {
    const { record, run } = aWorld()
    await record()
    await expect(run()).resolves.toEqual([{ id, finding: "onlyInStore", blob }])
  })

  it.each([
    { name: "its name", only: { kind: "secret", name: "db-password" } },
    { name: "its version", only: { kind: "secret", name: "db-password", version: object.version } },
  ] as const)("looks at one object alone when told $name", async ({ only }) => {
    const { set, record, gap, run } = aWorld()
    const other = anObject({ name: "other" })
    for (const of of [object, other]) set(of)
    await record({ of: other })
    await gap(anObject({ name: "third" }))
    await expect(run({ only })).resolves.toEqual([{ id, finding: "missing" }])
  })

  it.each([
    { name: "another version", only: { kind: "secret", name: "db-password", version: "0".repeat(32) } },
    { name: "a certificate of that name", only: { kind: "certificate", name: "db-password" } },
  ] as const)("finds nothing when told $name", async ({ only }) => {
    const { set, run } = aWorld()
    set(object)
    await expect(run({ only })).resolves.toEqual([])
  })

  it("looks at one vault alone", async () => {
    const { record, run } = aWorld()
    await record({ of: anObject({ host: "other.vault.azure.net" }) })
    await expect(run()).resolves.toEqual([])
  })

  it("lists the vault first, and looks again for what it misses: it may have been stored in between", async () => {
    const { set, record, options, store } = aWorld()
    set()
    const order: string[] = []
    const { vaultCatalog } = options()
    const found = await verifyVault(
      options({
        vaultCatalog: {
          ...noListedCertificates,
          listSecretVersions: (of) => {
            order.push("vault")
            return vaultCatalog.listSecretVersions(of)
          },
        },
        storeCatalog: {
          async *list(prefix) {
            order.push(prefix)
            yield* store.list(prefix)
            if (order.length === 3) await record()
          },
        },
      }),
    )
    const store1 = ["v1/kv-test.vault.azure.net/", "gaps/v1/kv-test.vault.azure.net/"]
    expect(order).toEqual(["vault", ...store1, ...store1])
    expect(found).toEqual([{ id, finding: "protected", blob }])
  })

  it("lists the store once when nothing is missing", async () => {
    const { set, record, options, store } = aWorld()
    set()
    await record()
    let lists = 0
    const list = (prefix: string) => {
      lists += 1
      return store.list(prefix)
    }
    await verifyVault(options({ storeCatalog: { list } }))
    expect(lists).toBe(2)
  })

  it.each([{ name: "vault" }, { name: "store" }])(
    "tells nothing when the listing of the $name breaks off",
    async ({ name }) => {
      const { set, record, run } = aWorld()
      set()
      await record()
      const error = new ServiceError("ERR_UNKNOWN", "page 2 failed")
      const broken = async function* () {
        yield* []
        throw error
      }
      const more =
        name === "vault"
          ? { vaultCatalog: { ...noListedCertificates, listSecretVersions: broken } }
          : { storeCatalog: { list: broken } }
      await expect(run(more)).rejects.toBe(error)
    },
  )
})

describe("verifyVault, deep", () => {
  it("calls a version protected whose record opens to the vault's value", async () => {
    const { set, record, runDeep } = aWorld()
    set()
    await record()
    await expect(runDeep()).resolves.toEqual([{ id, finding: "protected", blob }])
  })

  it("tells a record whose value is another, and shows neither", async () => {
    const { set, record, runDeep } = aWorld()
    set()
    await record({ value: "hunter3" })
    const found = await runDeep()
    expect(found).toEqual([{ id, finding: "differs", blob }])
    expect(JSON.stringify(found)).not.toContain("hunter")
  })

  it("tells a vault's answer without a value", async () => {
    const { memory, record, runDeep } = aWorld()
    memory.set(object, { attributes: old })
    await record()
    await expect(runDeep()).resolves.toMatchObject([{ finding: "differs" }])
  })

  it.each([
    { name: "another digest than the ledger names", record: { sha256: "00".repeat(32) } },
    { name: "no digest in the ledger", record: { sha256: null } },
    { name: "a seal for another name", record: { sealedAs: formatRecordName(anObject({ version: 9 })) } },
    { name: "another object inside", record: { about: anObject({ version: 9 }) } },
  ])("calls a record broken that has $name", async ({ record: given }) => {
    const { set, record, runDeep } = aWorld()
    set()
    await record(given)
    await expect(runDeep()).resolves.toEqual([{ id, finding: "broken", blob, code: "ERR_SEAL_INTEGRITY" }])
  })

  it("calls a blob broken that is no record", async () => {
    const { set, store, runDeep } = aWorld()
    set()
    await store.putIfAbsent(blob, Buffer.from("{}"), "", {})
    await expect(runDeep()).resolves.toMatchObject([{ finding: "broken" }])
  })

  it("cannot tell without a key", async () => {
    const { set, record, runDeep } = aWorld()
    set()
    await record()
    await expect(runDeep({ keys: [] })).resolves.toEqual([
      { id, finding: "unknown", blob, code: "ERR_SEAL_NO_KEY" },
    ])
  })

  const answering = (
    code: "ERR_VAULT_FORBIDDEN" | "ERR_VAULT_VERSION_DISABLED" | "ERR_VAULT_VERSION_ABSENT",
  ) => ({
    ...noCertificates,
    readSecret: () => Promise.reject(new ServiceError(code, "no")),
  })
  it.each([
    { name: "refused", code: "ERR_VAULT_FORBIDDEN", is: { finding: "unknown", code: "ERR_VAULT_FORBIDDEN" } },
    {
      name: "disabled since",
      code: "ERR_VAULT_VERSION_DISABLED",
      is: { finding: "protected", code: "ERR_VAULT_VERSION_DISABLED" },
    },
    { name: "deleted since", code: "ERR_VAULT_VERSION_ABSENT", is: { finding: "onlyInStore" } },
  ] as const)("tells a record whose version is $name", async ({ code, is }) => {
    const { set, record, runDeep } = aWorld()
    set()
    await record()
    await expect(runDeep({ vaultReader: answering(code) })).resolves.toEqual([{ id, blob, ...is }])
  })

  it("cannot tell when the record cannot be read", async () => {
    const { set, record, runDeep } = aWorld()
    set()
    await record()
    const read = () => Promise.reject(new ServiceError("ERR_STORE_FIREWALL", "no"))
    await expect(runDeep({ storeReader: { read } })).resolves.toMatchObject([
      { finding: "unknown", code: "ERR_STORE_FIREWALL" },
    ])
  })

  it("opens records whose version the vault lists no more", async () => {
    const { record, runDeep } = aWorld()
    await record()
    await record({ of: anObject({ version: 2 }), sha256: "00".repeat(32) })
    await expect(runDeep()).resolves.toMatchObject([{ finding: "onlyInStore" }, { finding: "broken" }])
  })

  it.each([
    { name: "one", concurrency: 1 },
    { name: "five", concurrency: 5 },
    { name: "no", concurrency: 0 },
  ])("opens at most so many records at once: $name", async ({ concurrency }) => {
    const { set, record, store, runDeep } = aWorld()
    for (let version = 1; version <= 20; version++) {
      set(anObject({ version }))
      await record({ of: anObject({ version }) })
    }
    let open = 0
    let most = 0
    const read = async (name: string) => {
      most = Math.max(most, ++open)
      await new Promise((done) => setImmediate(done))
      open -= 1
      return store.read(name)
    }
    const found = await runDeep({ storeReader: { read }, concurrency })
    expect(most).toBe(Math.max(1, concurrency))
    expect(found.map((version) => version.id)).toEqual(
      Array.from({ length: 20 }, (_, at) => formatVersionUrl(anObject({ version: at + 1 }))),
    )
    expect(new Set(found.map(({ finding }) => finding))).toEqual(new Set(["protected"]))
  })
})
