import * as fc from "fast-check"
import { expect, it } from "vitest"
import { origins } from "../../shared/change/change.ts"
import { formatVersionUrl, type ObjectVersion, parseVersionUrl } from "../../shared/change/objectVersion.ts"
import {
  formatGapName,
  formatRecordName,
  gapReasons,
  parseStoreEntryName,
} from "../../shared/store/blobName.ts"
import { formatLedgerEntry, parseLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { propertyRuns } from "../support/propertyRuns.ts"

const alphabet = [..."abyz019-"]
const word = (maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength }).map((all) => all.join(""))
const hex = fc
  .array(fc.constantFrom(..."0123456789abcdefABCDEF"), { minLength: 32, maxLength: 32 })
  .map((all) => all.join(""))
const host = fc.tuple(
  fc.array(word(6), { minLength: 1, maxLength: 3 }),
  fc.option(fc.integer({ min: 1, max: 65_535 })),
)

/** Version URLs of which many are valid, and pairs of them often near each other. */
const anyUrl = fc
  .tuple(host, fc.constantFrom("secrets", "certificates"), word(12), hex)
  .map(
    ([[labels, port], collection, name, version]) =>
      `https://${labels.join(".")}${port === null ? "" : `:${port}`}/${collection}/${name}/${version}`,
  )

const anyObject = anyUrl
  .map((url) => parseVersionUrl(url))
  .filter((parsed): parsed is { object: ObjectVersion } => "object" in parsed)
  .map(({ object }) => object)

it("parses every name back to what it names", () => {
  fc.assert(
    fc.property(anyObject, fc.constantFrom(...gapReasons), (object, reason) => {
      expect(parseStoreEntryName(formatRecordName(object))).toEqual({ kind: "record", object })
      expect(parseStoreEntryName(formatGapName(object, reason))).toEqual({ kind: "gap", object, reason })
    }),
    propertyRuns(300),
  )
})

it("gives no two versions one name, and one version one name", () => {
  fc.assert(
    fc.property(fc.array(anyObject, { minLength: 2, maxLength: 30 }), (objects) => {
      const urls = new Set(objects.map(formatVersionUrl))
      expect(new Set(objects.map(formatRecordName)).size).toBe(urls.size)
      const names = objects.flatMap((object) => gapReasons.map((reason) => formatGapName(object, reason)))
      expect(new Set(names).size).toBe(urls.size * gapReasons.length)
    }),
    propertyRuns(100),
  )
})

it("takes a name for what it is only when it would have written it so", () => {
  const near = fc.oneof(
    fc.string(),
    fc.tuple(anyObject, fc.nat(), fc.string({ maxLength: 2 })).map(([object, at, text]) => {
      const name = formatRecordName(object)
      const cut = at % name.length
      return name.slice(0, cut) + text + name.slice(cut + 1)
    }),
  )
  fc.assert(
    fc.property(near, (name) => {
      const entry = parseStoreEntryName(name)
      if (!entry) return
      const written =
        entry.kind === "record" ? formatRecordName(entry.object) : formatGapName(entry.object, entry.reason)
      expect(written).toBe(name)
    }),
    propertyRuns(500),
  )
})

it("writes ASCII into metadata whatever the event says, and reads the rest back", () => {
  const units = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)))
  const text = units.map((all) => String.fromCharCode(...all))
  const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T23:59:59Z") })
  fc.assert(
    fc.property(text, time, fc.constantFrom(...origins), fc.nat(99), (eventId, putAt, origin, attempt) => {
      const entry = { putAt, origin, attempt, replays: 0, kids: ["a"], format: "f/1", sha256: "0".repeat(64) }
      const metadata = formatLedgerEntry({ ...entry, eventId })
      expect(Object.values(metadata).join("")).toMatch(/^[\x21-\x7e]*$/)
      const { eventId: _eventId, ...rest } = parseLedgerEntry(metadata) ?? {}
      expect(rest).toEqual(entry)
    }),
    propertyRuns(200),
  )
})
