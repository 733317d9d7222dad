import { describe, expect, it } from "vitest"
import type { BackupRecord } from "../../../shared/record/record.ts"
import { openRecord } from "../../../shared/restore/openRecord.ts"
import { selectRecords } from "../../../shared/restore/selectRecords.ts"
import { formatRecordName } from "../../../shared/store/blobName.ts"
import { aChain, materialOf } from "../../support/aChain.ts"
import { anObject, host } from "../../support/builders.ts"
import { recipientPair } from "../../support/recipientPair.ts"
import { type StoredWrongly, storedRecords } from "../../support/storedRecords.ts"

async function openOne(wrongly: StoredWrongly = {}) {
  const records = storedRecords()
  await records.secret({}, {}, wrongly)
  const [selected] = await selectRecords(records.store, { host })
  return openRecord(selected!, records.source)
}

/** One bit of the body is another. */
const flip = (sealed: Uint8Array) => {
  const json = JSON.parse(Buffer.from(sealed).toString()) as { ciphertext: string }
  const first = json.ciphertext.startsWith("A") ? "B" : "A"
  return Buffer.from(JSON.stringify({ ...json, ciphertext: first + json.ciphertext.slice(1) }))
}

describe("openRecord", () => {
  it("opens a record that is the one its name and the ledger tell of", async () => {
    await expect(openOne()).resolves.toMatchObject({ value: "hunter2", tags: { owner: "team-a" } })
  })

  it.each([
    { name: "was damaged", wrongly: { alter: flip }, code: "ERR_SEAL_INTEGRITY" },
    { name: "was cut", wrongly: { alter: (sealed) => sealed.slice(0, 99) }, code: "ERR_SEAL_INTEGRITY" },
    {
      name: "was sealed for another name",
      wrongly: { sealedAs: formatRecordName(anObject({ version: 2 })) },
      code: "ERR_SEAL_INTEGRITY",
    },
    {
      name: "has another digest than the ledger names",
      wrongly: { metadata: { sha256: "0".repeat(64) } },
      code: "ERR_STORE_CONFLICT",
    },
    {
      name: "is older than the ledger says",
      wrongly: { metadata: { changedat: "2030-01-01T00:00:00.000Z" } },
      code: "ERR_STORE_CONFLICT",
    },
    {
      name: "is said to have no private key",
      wrongly: { metadata: { privatekey: "absentByPolicy" } },
      code: "ERR_STORE_CONFLICT",
    },
    { name: "has no ledger entry", wrongly: { metadata: null }, code: "ERR_STORE_CONFLICT" },
    { name: "has a newer format", wrongly: { format: "keyvault-backup/2" }, code: "ERR_FORMAT_NEWER" },
  ] as { name: string; wrongly: StoredWrongly; code: string }[])(
    "refuses a record that $name: $code",
    async ({ wrongly, code }) => {
      const error: unknown = await openOne(wrongly).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code })
      expect(JSON.stringify(error)).not.toContain("hunter2")
    },
  )

  it("refuses a certificate whose public part does not have the thumbprint that it names", async () => {
    const records = storedRecords()
    const change = ({ certificate, ...record }: BackupRecord): BackupRecord => ({
      ...record,
      certificate: { ...certificate!, thumbprint: "0".repeat(40) },
    })
    await records.certificate({ version: 1 }, aChain())
    await records.certificate({ version: 2, name: "forged" }, aChain(), {}, { change })
    const [right, forged] = await selectRecords(records.store, { host })
    await expect(openRecord(right!, records.source)).resolves.toMatchObject({ managed: true })
    await expect(openRecord(forged!, records.source)).rejects.toMatchObject({ code: "ERR_SEAL_INTEGRITY" })
  })

  it("refuses a certificate whose material is of another, or lacks the key that it says is there", async () => {
    const other = aChain()
    for (const value of [
      materialOf(other.key, other.certificates),
      materialOf(undefined, other.certificates),
    ]) {
      const records = storedRecords()
      await records.certificate({}, aChain(), {}, { change: (record) => ({ ...record, value }) })
      const [selected] = await selectRecords(records.store, { host })
      await expect(openRecord(selected!, records.source)).rejects.toMatchObject({
        code: "ERR_SEAL_INTEGRITY",
      })
    }
    const chain = aChain()
    const records = storedRecords()
    const withoutKey = materialOf(undefined, chain.certificates)
    await records.certificate({}, chain, {}, { change: (record) => ({ ...record, value: withoutKey }) })
    const [selected] = await selectRecords(records.store, { host })
    await expect(openRecord(selected!, records.source)).rejects.toMatchObject({ code: "ERR_SEAL_INTEGRITY" })
  })

  it("names the keys that would open it", async () => {
    const records = storedRecords()
    await records.secret()
    const [selected] = await selectRecords(records.store, { host })
    const { openingKey } = await recipientPair("EC", "another")
    await expect(openRecord(selected!, { reader: records.store, keys: [openingKey] })).rejects.toMatchObject({
      code: "ERR_SEAL_NO_KEY",
      hint: "Use one of the keys it is sealed to: recovery-1.",
    })
  })
})
