import { describe, expect, it } from "vitest"
import { origins } from "../../../shared/change/change.ts"
import {
  formatLedgerEntry,
  type LedgerEntry,
  parseLedgerEntry,
  parseTime,
} from "../../../shared/store/ledgerEntry.ts"

const least: LedgerEntry = {
  putAt: new Date("2026-03-01T10:00:06.100Z"),
  origin: "live",
  attempt: 1,
  replays: 0,
  kids: [],
  format: "keyvault-backup/1",
  sha256: "ab".repeat(32),
}
const full: LedgerEntry = {
  ...least,
  changedAt: new Date("2026-03-01T10:00:00Z"),
  eventAt: new Date("2026-03-01T10:00:00.123Z"),
  enqueuedAt: new Date("2026-03-01T10:00:04Z"),
  receivedAt: new Date("2026-03-01T10:00:05Z"),
  readAt: new Date("2026-03-01T10:00:06Z"),
  attempt: 3,
  replays: 2,
  eventId: "3f2f7a52-8a6b-4c0e-9d1e-0f6d3b7c9a11",
  kids: ["https://kv-keys.vault.azure.net/keys/backup/0123", "recovery-1"],
  code: "ERR_VAULT_VERSION_DISABLED",
}

describe("formatLedgerEntry", () => {
  it("is the documented form: names, ISO times in milliseconds, recipients in their order", () => {
    expect(formatLedgerEntry(full)).toEqual({
      changedat: "2026-03-01T10:00:00.000Z",
      eventat: "2026-03-01T10:00:00.123Z",
      enqueuedat: "2026-03-01T10:00:04.000Z",
      receivedat: "2026-03-01T10:00:05.000Z",
      readat: "2026-03-01T10:00:06.000Z",
      putat: "2026-03-01T10:00:06.100Z",
      origin: "live",
      attempt: "3",
      replays: "2",
      eventid: "3f2f7a52-8a6b-4c0e-9d1e-0f6d3b7c9a11",
      kid: "https://kv-keys.vault.azure.net/keys/backup/0123,recovery-1",
      format: "keyvault-backup/1",
      sha256: "ab".repeat(32),
      code: "ERR_VAULT_VERSION_DISABLED",
    })
  })

  it("leaves out what does not exist", () => {
    expect(Object.keys(formatLedgerEntry(least))).toEqual([
      "putat",
      "origin",
      "attempt",
      "replays",
      "format",
      "sha256",
    ])
  })

  it.each([
    { name: "a header of its own", eventId: "a\r\nx-ms-meta-origin: live" },
    { name: "a line break", eventId: "a\nb" },
    { name: "text that is not ASCII", eventId: "ключ" },
    { name: "a sentence", eventId: "the value is hunter2" },
    { name: "nothing", eventId: "" },
    { name: "more than 128 characters", eventId: "a".repeat(129) },
    { name: "quotes", eventId: '"' },
  ])("leaves out an event id that is no id: $name", ({ eventId }) => {
    expect(formatLedgerEntry({ ...least, eventId })).toEqual(formatLedgerEntry(least))
  })

  it("says privatekey only where a certificate's key stays in the vault", () => {
    expect(formatLedgerEntry({ ...least, isPublicOnly: true })["privatekey"]).toBe("absentByPolicy")
    for (const entry of [least, { ...least, isPublicOnly: false }]) {
      expect(formatLedgerEntry(entry)).not.toHaveProperty("privatekey")
    }
    expect(parseLedgerEntry({ ...formatLedgerEntry(least), privatekey: "present" })).toEqual(least)
  })

  it("keeps event ids as real publishers write them", () => {
    for (const eventId of ["01H8XJ", "urn:uuid:5f1c", "a/b=c+d_e.f", "a".repeat(128)]) {
      expect(formatLedgerEntry({ ...least, eventId })["eventid"]).toBe(eventId)
    }
  })

  it("is ASCII, in lower-case names", () => {
    for (const [name, value] of Object.entries(formatLedgerEntry(full))) {
      expect(name).toMatch(/^[a-z][a-z0-9]*$/)
      expect(value).toMatch(/^[\x20-\x7e]+$/)
    }
  })
})

describe("parseLedgerEntry", () => {
  it.each([
    { name: "a full entry", entry: full },
    { name: "the least entry", entry: least },
    { name: "a certificate without its private key", entry: { ...least, isPublicOnly: true } },
    ...origins.map((origin) => ({ name: `origin ${origin}`, entry: { ...full, origin } })),
  ])("reads back what was written: $name", ({ entry }) => {
    expect(parseLedgerEntry(formatLedgerEntry(entry))).toEqual(entry)
  })

  const metadata = formatLedgerEntry(full)
  it.each([
    { name: "nothing at all", given: {} },
    { name: "no putat", given: { ...metadata, putat: "" } },
    { name: "a putat that is no time", given: { ...metadata, putat: "yesterday" } },
    { name: "a foreign origin", given: { ...metadata, origin: "elsewhere" } },
    { name: "no format", given: { ...metadata, format: "" } },
    { name: "no digest", given: { ...metadata, sha256: "" } },
    { name: "a digest that is none", given: { ...metadata, sha256: "zz".repeat(32) } },
    { name: "an attempt that is no number", given: { ...metadata, attempt: "x" } },
    { name: "replays below zero", given: { ...metadata, replays: "-1" } },
  ])("takes an entry for foreign that has $name", ({ given }) => {
    expect(parseLedgerEntry(given)).toBeUndefined()
  })

  it("leaves out a time that is none, where an entry may do without", () => {
    const parsed = parseLedgerEntry({ ...metadata, eventat: "soon" })
    expect(parsed).toBeDefined()
    expect(parsed?.eventAt).toBeUndefined()
  })
})

describe("parseTime", () => {
  it.each([
    { name: "whole seconds", text: "2026-03-01T10:00:00Z", is: "2026-03-01T10:00:00.000Z" },
    { name: "seven digits", text: "2026-03-01T10:00:00.1239999Z", is: "2026-03-01T10:00:00.123Z" },
    { name: "an offset", text: "2026-03-01T10:00:00+02:00", is: "2026-03-01T08:00:00.000Z" },
    { name: "no offset, which is UTC", text: "2026-03-01T10:00:00.5", is: "2026-03-01T10:00:00.500Z" },
  ])("reads $name", ({ text, is }) => {
    expect(parseTime(text)?.toISOString()).toBe(is)
  })

  it.each([
    { name: "nothing", text: undefined },
    { name: "an empty text", text: "" },
    { name: "a date alone", text: "2026-03-01" },
    { name: "a day of another calendar", text: "2026-13-45T10:00:00Z" },
    { name: "a number", text: "1772359200" },
    { name: "words", text: "March 1, 2026" },
  ])("takes $name for no time", ({ text }) => {
    expect(parseTime(text)).toBeUndefined()
  })
})
