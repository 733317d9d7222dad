import { describe, expect, it } from "vitest"
import { type RestoreSelection, selectRecords } from "../../../shared/restore/selectRecords.ts"
import { aChain } from "../../support/aChain.ts"
import { host, versionId } from "../../support/builders.ts"
import { storedRecords } from "../../support/storedRecords.ts"

const secretName = "db-password"
const object = { kind: "secret", name: secretName } as const

async function select(
  { store }: ReturnType<typeof storedRecords>,
  selection: Partial<RestoreSelection> = {},
): Promise<string[]> {
  const selected = await selectRecords(store, { host, ...selection })
  return selected.map(
    ({ object: { kind, name, version } }) => `${kind} ${name} ${Number.parseInt(version, 16)}`,
  )
}

describe("selectRecords", () => {
  it("selects exactly the version named, though there are newer ones", async () => {
    const records = storedRecords()
    for (const version of [1, 2, 3])
      await records.secret({ version }, { created: `2026-03-0${version}T10:00:00Z` })
    await expect(select(records, { object: { ...object, version: versionId(2) } })).resolves.toEqual([
      "secret db-password 2",
    ])
  })

  it("names what a vault had and the store has no record of, and restores nothing for it", async () => {
    const records = storedRecords()
    await records.secret({ name: "b" })
    await records.gap({ name: "a" }, "disabled", "2026-03-01T10:00:00Z")
    const selected = await selectRecords(records.store, { host })
    expect(selected).toMatchObject([
      { object: { name: "a" }, onlyGap: "disabled", blob: expect.stringMatching(/^gaps\/v1\//) },
      { object: { name: "b" }, newerGaps: [] },
    ])
    expect(selected[1]).not.toHaveProperty("onlyGap")
  })

  it("takes a gap for as old as its version, however late reconciliation found it", async () => {
    const records = storedRecords()
    await records.secret({ version: 2 }, { created: "2026-03-01T10:00:00Z" })
    await records.gap({ version: 1 }, "disabled", "2026-06-01T10:00:00Z", "2026-01-01T10:00:00Z")
    await expect(selectRecords(records.store, { host, object })).resolves.toMatchObject([{ newerGaps: [] }])
  })

  it("selects the newest version by the vault's own time, in whatever order they were stored", async () => {
    const records = storedRecords()
    await records.secret({ version: 1 }, { created: "2026-03-05T10:00:00Z" })
    await records.secret({ version: 9 }, { created: "2026-03-01T10:00:00Z" })
    await expect(select(records, { object })).resolves.toEqual(["secret db-password 1"])
  })

  it("lets the event's time decide between versions of one second", async () => {
    const records = storedRecords()
    const created = "2026-03-01T10:00:00Z"
    await records.secret({ version: 1 }, { created, eventAt: "2026-03-01T10:00:00.900Z" })
    await records.secret({ version: 2 }, { created, eventAt: "2026-03-01T10:00:00.100Z" })
    await expect(select(records, { object })).resolves.toEqual(["secret db-password 1"])
  })

  it.each([
    { name: "between two versions", at: "2026-03-02T23:00:00Z", is: 2 },
    { name: "in the second of a version", at: "2026-03-02T10:00:00.001Z", is: 2 },
    { name: "a second before it", at: "2026-03-02T09:59:59Z", is: 1 },
    { name: "after all of them", at: "2030-01-01T00:00:00Z", is: 3 },
  ])("selects the newest version at a time: $name", async ({ at, is }) => {
    const records = storedRecords()
    for (const version of [1, 2, 3])
      await records.secret({ version }, { created: `2026-03-0${version}T10:00:00Z` })
    await expect(select(records, { object, at: new Date(at) })).resolves.toEqual([`secret db-password ${is}`])
  })

  it("selects the newest version of every object of a vault, and nothing of another", async () => {
    const records = storedRecords()
    await records.secret({ name: "b", version: 1 })
    await records.secret({ name: "a", version: 1 }, { created: "2026-03-01T10:00:00Z" })
    await records.secret({ name: "a", version: 2 }, { created: "2026-03-02T10:00:00Z" })
    await records.secret({ name: "c", version: 1, host: "other.vault.azure.net" })
    await expect(select(records)).resolves.toEqual(["secret a 2", "secret b 1"])
  })

  it("does not take a longer name for the one named", async () => {
    const records = storedRecords()
    await records.secret({ name: "db-password-2" })
    await expect(select(records, { object })).rejects.toMatchObject({ code: "ERR_STORE_NOT_FOUND" })
  })

  it("selects the certificate by the URL of its secret, and not a secret by that of a certificate", async () => {
    const records = storedRecords()
    await records.certificate({ name: "tls" }, aChain())
    await records.secret({ name: "plain" })
    await expect(select(records, { object: { kind: "secret", name: "tls" } })).resolves.toEqual([
      "certificate tls 1",
    ])
    await expect(select(records, { object: { kind: "certificate", name: "plain" } })).rejects.toMatchObject({
      code: "ERR_STORE_NOT_FOUND",
    })
  })

  it("takes a name for one object, of the kind it was last", async () => {
    const records = storedRecords()
    await records.certificate({ name: "both", version: 7 }, aChain())
    await records.secret({ name: "both", version: 1 }, { created: "2026-02-01T10:00:00Z" })
    await expect(select(records)).resolves.toEqual(["certificate both 7"])
    await expect(select(records, { at: new Date("2026-02-15T00:00:00Z") })).resolves.toEqual([
      "secret both 1",
    ])
  })

  it("tells newer versions that have no record, until they have one", async () => {
    const records = storedRecords()
    await records.secret({ version: 1 }, { created: "2026-03-01T10:00:00Z" })
    await records.gap({ version: 0 }, "disabled", "2026-02-01T10:00:00Z")
    const id = await records.gap({ version: 2 }, "disabled", "2026-03-03T10:00:00Z")
    const gapsAt = async (at?: Date) => {
      const [first] = await selectRecords(records.store, { host, object, ...(at ? { at } : {}) })
      return first?.newerGaps
    }
    await expect(gapsAt()).resolves.toEqual([{ id, reason: "disabled" }])
    await expect(gapsAt(new Date("2026-03-02T10:00:00Z"))).resolves.toEqual([])
    await records.secret({ version: 2 }, { created: "2026-03-03T10:00:00Z" })
    await expect(gapsAt()).resolves.toEqual([])
  })

  it("says why there is nothing: no record, none so early, or a gap record", async () => {
    const records = storedRecords()
    await records.gap({ name: "off" }, "disabled", "2026-03-03T10:00:00Z")
    await records.secret({ name: "late" })
    const refusal = (selection: Partial<RestoreSelection>) =>
      selectRecords(records.store, { host, ...selection }).catch((error: Error) => error.message)
    await expect(refusal({ object: { kind: "secret", name: "off" } })).resolves.toBe(
      "[ERR_STORE_NOT_FOUND] The store has no record of this object: its gap record says disabled",
    )
    await expect(
      refusal({ object: { kind: "secret", name: "late" }, at: new Date("2026-01-01T00:00:00Z") }),
    ).resolves.toBe(
      "[ERR_STORE_NOT_FOUND] The store has no record of this object at 2026-01-01T00:00:00.000Z or before",
    )
    await expect(refusal({ host: "nobody.vault.azure.net" })).resolves.toBe(
      "[ERR_STORE_NOT_FOUND] The store has no record of any version of this vault",
    )
  })
})
