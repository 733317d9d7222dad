import { describe, expect, it } from "vitest"
import { createLedgerCsv } from "../../../shared/audit/ledgerCsv.ts"
import { formatRecordName } from "../../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { aLedger, anEntry, at } from "../../support/aLedger.ts"
import { anObject } from "../../support/builders.ts"

/** The export of a ledger as text, and as objects by column. */
async function exportOf(ledger: ReturnType<typeof aLedger>) {
  let text = ""
  const csv = createLedgerCsv((piece) => (text += piece), { percentile: 99, limitMs: 60_000 })
  await ledger.read({}, { onVersion: csv.addVersion, onGap: csv.addGap })
  csv.end()
  const [head = "", ...lines] = text.trimEnd().split("\n")
  const names = head.split(",")
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(",").map((cell, index) => [names[index], cell])),
  )
  return { text, names, lines, rows }
}

describe("createLedgerCsv", () => {
  it("has one row a version, with every stage and every time", async () => {
    const ledger = aLedger()
    ledger.record(1, at("10:00:00.250"), { eventId: "e-1" })
    const { rows, names } = await exportOf(ledger)
    expect(rows[0]).toEqual({
      state: "stored",
      id: "https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001",
      vault: "https://kv-test.vault.azure.net",
      collection: "secrets",
      name: "db-password",
      version: "00000000000000000000000000000001",
      origin: "live",
      attempt: "1",
      replays: "0",
      latencyMs: "2000",
      isWithin: "true",
      changedAt: "2026-03-01T09:59:58.000Z",
      eventAt: "2026-03-01T09:59:58.250Z",
      enqueuedAt: "2026-03-01T09:59:58.750Z",
      receivedAt: "2026-03-01T09:59:59.050Z",
      readAt: "2026-03-01T10:00:00.150Z",
      putAt: "2026-03-01T10:00:00.250Z",
      witnessedAt: "2026-03-01T10:00:00.000Z",
      changeToEventMs: "250",
      eventToQueueMs: "500",
      queueToFunctionMs: "300",
      functionToReadMs: "1100",
      readToPutMs: "100",
      putToWitnessMs: "-250",
      queueToPutMs: "1500",
      eventToPutMs: "2000",
      changeToPutMs: "2250",
      eventId: "e-1",
      kids: "recovery",
      sha256: "ab".repeat(32),
      sizeBytes: "1000",
      isPublicOnly: "false",
      reason: "",
      code: "",
      problem: "",
      blob: "v1/kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001.jwe.json",
    })
    expect(new Set(names).size).toBe(names.length)
  })

  it("has open gaps after the versions, and no closed ones", async () => {
    const ledger = aLedger()
    ledger.gap(1, "disabled", at("09:00:00"))
    ledger.gap(2, "gone", at("09:00:00"))
    ledger.record(1, at("10:00:00"))
    const { rows } = await exportOf(ledger)
    expect(
      rows.map(({ state, version, isWithin, reason, changedAt }) => [
        state,
        version,
        isWithin,
        reason,
        changedAt,
      ]),
    ).toEqual([
      ["stored", "00000000000000000000000000000001", "true", "", "2026-03-01T09:59:58.000Z"],
      ["gap", "00000000000000000000000000000002", "false", "gone", "2026-03-01T09:00:00.000Z"],
    ])
  })

  it("leaves figures that are not to be used empty, and says why", async () => {
    const ledger = aLedger()
    ledger.put(formatRecordName(anObject()), {}, at("10:00:00"))
    const [row] = (await exportOf(ledger)).rows
    expect(row).toMatchObject({ state: "stored", latencyMs: "", isWithin: "", problem: "metadata-missing" })
  })

  it.each(["=cmd()", "+1", "-1", "@SUM(A1)"])("makes the text %s harmless in a spreadsheet", async (text) => {
    const ledger = aLedger()
    const name = formatRecordName(anObject())
    ledger.put(name, formatLedgerEntry(anEntry(at("10:00:00"), { kids: [text] })), at("10:00:00"))
    expect((await exportOf(ledger)).rows[0]?.["kids"]).toBe(`'${text}`)
  })

  it("quotes what would break a row", async () => {
    const ledger = aLedger()
    const metadata = { ...formatLedgerEntry(anEntry(at("10:00:00"))), eventid: 'a,"b"\nc' }
    ledger.put(formatRecordName(anObject()), metadata, at("10:00:00"))
    expect((await exportOf(ledger)).text).toContain(',"a,""b""\nc",')
  })

  it("has a head where there is nothing, and every row of many", async () => {
    expect((await exportOf(aLedger())).lines).toEqual([])
    const ledger = aLedger()
    for (let n = 0; n < 123; n += 1) ledger.record(n, at("10:00:00"))
    expect((await exportOf(ledger)).lines.length).toBe(123)
  })
})
