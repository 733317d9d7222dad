import { describe, expect, it } from "vitest"
import {
  formatJournalBlob,
  formatJournalName,
  type JournalItem,
  parseJournalBlob,
  parseJournalName,
} from "../../../shared/deadLetter/journalRecord.ts"

const plan = "ab".repeat(32)
const item: JournalItem = {
  place: "keyvault-changes/$DeadLetterQueue",
  id: "17",
  messageId: "m17",
  at: new Date("2026-03-01T10:00:01.000Z"),
  source: "dead-letter",
  cause: "ERR_VAULT_FORBIDDEN",
  action: "send",
  objects: ["https://kv-test.vault.azure.net/secrets/a/00000000000000000000000000000001"],
  copies: [{ queue: "changes", messageId: "fresh" }],
}
const at = new Date("2026-03-01T12:00:00.000Z")

describe("formatJournalName", () => {
  it("is the name of the contract, and is read back", () => {
    const name = { plan, batch: 42, phase: "intent", run: "20260301T120000Z-ab12" } as const
    expect(formatJournalName(name)).toBe(`journal/v1/${plan}/000042.intent.20260301T120000Z-ab12.json`)
    expect(parseJournalName(formatJournalName(name))).toEqual(name)
  })

  it.each([
    "v1/a/b",
    "journal/v1/x/000001.sent.r.json",
    `journal/v1/${plan}/1.sent.r.json`,
    `journal/v1/${plan}/000001.done.r.json`,
  ])("reads no name of the journal in %s", (name) => {
    expect(parseJournalName(name)).toBeUndefined()
  })
})

describe("formatJournalBlob", () => {
  it("is read back, and its metadata tell what is in it", () => {
    const event: JournalItem = { ...item, source: "event-grid", id: "b#0", action: "quarantine", entries: 3 }
    const { body, metadata } = formatJournalBlob([item, event], at)
    expect(parseJournalBlob("j", body)).toEqual([item, event])
    expect(metadata).toMatchObject({
      items: "2",
      send: "1",
      remove: "0",
      quarantine: "1",
      eventgrid: "1",
      putat: at.toISOString(),
    })
  })

  it("holds ids, codes and times, and nothing else of a message", () => {
    expect(JSON.parse(String(formatJournalBlob([item], at).body))).toEqual({
      format: "keyvault-replay-journal/1",
      at: "2026-03-01T12:00:00.000Z",
      items: [{ ...item, at: "2026-03-01T10:00:01.000Z" }],
    })
  })

  it.each(["", "{", "{}", '{"format":"keyvault-replay-journal/2","items":[]}'])("refuses %j", (text) => {
    expect(() => parseJournalBlob("j", Buffer.from(text))).toThrow(
      expect.objectContaining({ code: "ERR_FORMAT_NEWER", details: { blob: "j" } }),
    )
  })
})
