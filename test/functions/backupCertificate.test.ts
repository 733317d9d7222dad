import { describe, expect, it } from "vitest"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { aChain, certificateReadings } from "../support/aChain.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventOfKind, anObject, vault as vaultUrl } from "../support/builders.ts"
import { collect } from "../support/collect.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")
const object = anObject({ kind: "certificate", name: "tls" })
const kinds = ["Certificate", "Secret", "Key"] as const

function aWorld(exportable: boolean) {
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const readings = certificateReadings(aChain(), { exportable })
  vault.setCertificate(object, readings.certificate)
  vault.set({ ...object, kind: "secret" }, readings.secret)
  const handler = aHandler({ vaults: [vaultUrl], vault, store, recipients: [pair.recipient] })
  return { handler, vault, store }
}

const orders = kinds.flatMap((first) =>
  kinds
    .filter((kind) => kind !== first)
    .map((second) => [first, second, kinds.find((kind) => kind !== first && kind !== second)!]),
)

describe("the handler, on the three events of one certificate", () => {
  it.each(orders.map((order) => ({ name: order.join(", "), order })))(
    "stores one record in any order, each event twice: $name",
    async ({ order }) => {
      const { handler, store } = aWorld(true)
      for (const kind of [...order, ...order]) await handler.deliver(anEventOfKind(kind, object))
      const blobs = await collect(store.list(""))
      expect(blobs.map(({ name }) => name)).toEqual([formatRecordName(object)])
      const outcomes = handler.outcomes()
      expect(outcomes.filter(({ outcome }) => outcome === "stored")).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === "alreadyStored")).toHaveLength(3)
      expect(outcomes.filter(({ reason }) => reason === "key-event")).toHaveLength(2)
      expect([handler.changes.sent, handler.quarantine.sent]).toEqual([[], []])
    },
  )

  it("warns that only the public part is stored where the key stays in the vault", async () => {
    const { handler } = aWorld(false)
    await handler.deliver(anEventOfKind("Certificate", object))
    expect(handler.log.entries()).toMatchObject([
      { level: "warn", event: "backup.outcome", outcome: "stored", privateKey: "absentByPolicy" },
    ])
    const other = aWorld(true).handler
    await other.deliver(anEventOfKind("Certificate", object))
    expect(other.log.entries()).toMatchObject([{ level: "info", outcome: "stored" }])
    expect(other.log.entries()[0]).not.toHaveProperty("privateKey")
  })

  it("asks the vault nothing about a key, and says where its key is", async () => {
    const { handler, vault } = aWorld(true)
    await handler.deliver(anEventOfKind("Key", object))
    expect(vault.reads).toBe(0)
    expect(handler.log.entries()).toMatchObject([
      { outcome: "skipped", reason: "key-event", advice: expect.stringContaining("certificate's record") },
    ])
  })
})

describe("the handler, on a managed HSM", () => {
  it.each(kinds)("skips it with advice, completes it, and asks nobody anything: %s", async (kind) => {
    const { handler, vault, store } = aWorld(true)
    const host = "hsm1.managedhsm.azure.net"
    const event = anEventOfKind(kind, anObject({ host, name: "k" }))
    await handler.deliver(event)
    expect(handler.log.entries()).toMatchObject([
      {
        level: "info",
        outcome: "skipped",
        reason: "managed-hsm",
        advice: expect.stringContaining("az keyvault backup start"),
      },
    ])
    expect(vault.reads).toBe(0)
    expect(await collect(store.list(""))).toEqual([])
    expect([handler.changes.sent, handler.quarantine.sent]).toEqual([[], []])
  })
})
