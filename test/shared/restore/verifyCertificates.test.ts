import { describe, expect, it } from "vitest"
import { backUpVersion } from "../../../shared/backup/backUpVersion.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { verifyVault } from "../../../shared/restore/verifyVault.ts"
import { formatGapName, formatRecordName } from "../../../shared/store/blobName.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { aChain, type Chain, certificateReadings, materialOf } from "../../support/aChain.ts"
import { aChange, anObject, vault } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { recipientPair } from "../../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")
const chain = aChain({ length: 2 })
const certificate = anObject({ kind: "certificate", name: "tls" })
const secret = anObject({ kind: "secret", name: "tls" })
const id = formatVersionUrl(certificate)
const blob = formatRecordName(certificate)

/** A vault and a store; `put` sets the certificate in the vault, `backUp` stores it as the product does. */
function aWorld() {
  const memory = createMemoryVault()
  const store = createMemoryStore()
  return {
    memory,
    store,
    put: (given: Parameters<typeof certificateReadings>[1] = {}, of: Chain = chain) => {
      const readings = certificateReadings(of, given)
      memory.setCertificate(certificate, readings.certificate)
      memory.set(secret, readings.secret)
    },
    backUp: () =>
      backUpVersion(
        aChange({ object: certificate }),
        { receivedAt: new Date(0), failedAttempts: 0, replays: 0 },
        { vault: memory, store, recipientsOf: async () => [pair.recipient], clock: fakeClock(), exclude: [] },
      ),
    verify: (deep: boolean) =>
      verifyVault({
        vault,
        vaultCatalog: memory,
        storeCatalog: store,
        clock: fakeClock("2027-03-01T10:00:00Z"),
        graceMs: 60_000,
        exclude: [],
        ...(deep
          ? { deep: { vaultReader: memory, storeReader: store, keys: [pair.openingKey], concurrency: 2 } }
          : {}),
      }),
  }
}

describe("verifyVault of certificates", () => {
  it("counts certificate and secret of one version as one, before and after its backup", async () => {
    const { put, backUp, verify } = aWorld()
    put()
    await expect(verify(false)).resolves.toEqual([{ id, finding: "missing" }])
    await backUp()
    await expect(verify(false)).resolves.toEqual([{ id, finding: "protected", blob }])
  })

  it.each([
    { name: "the certificate", object: certificate },
    { name: "its secret", object: secret },
  ])("knows the gap of a certificate that stands under $name", async ({ object }) => {
    const { put, store, verify } = aWorld()
    put()
    await store.putIfAbsent(formatGapName(object, "disabled"), Buffer.from("x"), "", {})
    await expect(verify(false)).resolves.toEqual([{ id, finding: "gap", reason: "disabled" }])
  })

  it.each([false, true])("never calls a public part alone protected (deep: %s)", async (deep) => {
    const { put, backUp, verify } = aWorld()
    put({ exportable: false })
    await backUp()
    await expect(verify(deep)).resolves.toMatchObject([{ id, finding: "publicOnly", blob }])
  })
})

describe("verifyVault of certificates, deep", () => {
  it("calls a certificate protected whose PFX the vault exports in other bytes", async () => {
    const { put, backUp, verify } = aWorld()
    const [one, other] = [
      materialOf(chain.key, chain.certificates),
      materialOf(chain.key, chain.certificates),
    ]
    expect(one).not.toBe(other)
    put({ value: one })
    await backUp()
    put({ value: other })
    await expect(verify(true)).resolves.toEqual([{ id, finding: "protected", blob, chain: "complete" }])
  })

  it("tells a certificate whose key is another", async () => {
    const { put, backUp, verify } = aWorld()
    put()
    await backUp()
    put({}, aChain())
    const found = await verify(true)
    expect(found).toEqual([{ id, finding: "differs", blob }])
  })

  it("cannot tell when the vault's own answers contradict each other", async () => {
    const { put, backUp, verify } = aWorld()
    put()
    await backUp()
    put({ value: materialOf(aChain().key, chain.certificates) })
    await expect(verify(true)).resolves.toEqual([
      { id, finding: "unknown", blob, code: "ERR_VAULT_RESPONSE_INVALID" },
    ])
  })

  it("tells a chain that reaches no root, and calls the version protected", async () => {
    const { put, backUp, verify } = aWorld()
    put({ value: materialOf(chain.key, [chain.certificates[0]]) })
    await backUp()
    await expect(verify(true)).resolves.toEqual([{ id, finding: "protected", blob, chain: "incomplete" }])
  })

  it("calls a certificate protected that was disabled since: its record opens", async () => {
    const { put, backUp, memory, verify } = aWorld()
    put()
    await backUp()
    memory.set(secret, { ...certificateReadings(chain).secret, attributes: { enabled: false } })
    await expect(verify(true)).resolves.toEqual([
      { id, finding: "protected", blob, code: "ERR_VAULT_VERSION_DISABLED" },
    ])
  })

  it("tells a record whose bytes were touched", async () => {
    const { put, backUp, store, verify } = aWorld()
    put()
    await backUp()
    const read = async (name: string) => {
      const bytes = Buffer.from(await store.read(name))
      return Buffer.from(bytes.toString().replace('"tag":"', '"tag":"A'))
    }
    const found = await verifyVault({
      vault,
      vaultCatalog: createMemoryVault(),
      storeCatalog: store,
      clock: fakeClock(),
      graceMs: 0,
      exclude: [],
      deep: {
        vaultReader: createMemoryVault(),
        storeReader: { read },
        keys: [pair.openingKey],
        concurrency: 1,
      },
    })
    expect(found).toEqual([{ id, finding: "broken", blob, code: "ERR_SEAL_INTEGRITY" }])
    await expect(verify(true)).resolves.toMatchObject([{ finding: "protected" }])
  })
})
