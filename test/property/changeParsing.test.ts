import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { parseChanges } from "../../shared/change/parseChanges.ts"
import { describeError } from "../../shared/errors.ts"
import { aChange } from "./changeArbitraries.ts"

const runs = { numRuns: process.env["SLOW"] ? 20_000 : 300 }
const allowList = createAllowList(["https://kv-demo.vault.azure.net"])

/** No throw, at least one item, and no error but those an event can have. */
function expectSaneResult(body: unknown): void {
  const items = parseChanges(body, allowList)
  expect(items.length).toBeGreaterThan(0)
  for (const item of items) {
    if (item.kind !== "poison") continue
    expect(item.error.code).toMatch(/^ERR_EVENT_(?:MALFORMED|NOT_ALLOWED|COLLISION|LOSSY)$/)
    expect(["poison", "throw"]).toContain(describeError(item.error.code).disposition)
  }
}

/** Objects that are nearly right: known names, in any spelling, with any values. */
const nearlyEvent = fc.dictionary(
  fc
    .constantFrom(
      "id",
      "topic",
      "eventType",
      "eventTime",
      "data",
      "specversion",
      "type",
      "source",
      "change",
      "__proto__",
    )
    .chain((key) => fc.constantFrom(key, key.toUpperCase(), ` ${key}`)),
  fc.oneof(
    fc.constantFrom("Microsoft.KeyVault.SecretNewVersionCreated", "1.0", "e-1"),
    fc.dictionary(
      fc.constantFrom(
        "Id",
        "id",
        "VaultName",
        "ObjectType",
        "ObjectName",
        "Version",
        "format",
        "origin",
        "__proto__",
      ),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom("keyvault-change/1", "live", "https://kv-demo.vault.azure.net/"),
      ),
    ),
    fc.jsonValue(),
  ),
)

describe("parseChanges", () => {
  it("never throws, whatever JSON it is given", () => {
    fc.assert(fc.property(fc.jsonValue(), expectSaneResult), runs)
    fc.assert(fc.property(fc.oneof(nearlyEvent, fc.array(nearlyEvent)), expectSaneResult), runs)
  })

  it("never throws, whatever value, text or bytes it is given", () => {
    fc.assert(fc.property(fc.anything(), expectSaneResult), runs)
    fc.assert(fc.property(fc.string({ unit: "binary" }), expectSaneResult), runs)
    fc.assert(fc.property(fc.base64String(), expectSaneResult), runs)
    fc.assert(fc.property(fc.uint8Array(), expectSaneResult), runs)
  })

  it("reads back every change message, in every encoding", () => {
    fc.assert(
      fc.property(aChange, (change) => {
        const own = createAllowList([change.object.vault])
        const text = formatChangeMessage(change)
        const expected = [{ kind: "change", change }]
        expect(parseChanges(JSON.parse(text), own)).toEqual(expected)
        expect(parseChanges(text, own)).toEqual(expected)
        expect(parseChanges(Buffer.from(text), own)).toEqual(expected)
        expect(parseChanges(Buffer.from(text).toString("base64"), own)).toEqual(expected)
        expect(parseChanges(JSON.parse(`[${text}]`), own)).toEqual(expected)
      }),
      runs,
    )
  })

  it("reads one change from an event in either schema, however its names are spelled", () => {
    const spelling = fc.constantFrom(
      (key: string) => key,
      (key: string) => key.toLowerCase(),
      (key: string) => key.toUpperCase(),
      (key: string) => ` ${key} `,
    )
    const live = aChange.map((change) => ({ ...change, origin: "live" as const }))
    fc.assert(
      fc.property(live, spelling, (change, spell) => {
        const { object, event = {} } = change
        const type = `Microsoft.KeyVault.${object.kind === "secret" ? "Secret" : "Certificate"}NewVersionCreated`
        const spelled = (members: object) =>
          Object.fromEntries(Object.entries(members).map(([key, value]) => [spell(key), value]))
        const data = spelled({
          Id: formatVersionUrl(object),
          ObjectType: object.kind,
          ObjectName: object.name.toUpperCase(),
          Version: ` ${object.version}`,
        })
        const { id, time, topic } = event
        const own = createAllowList([object.vault])
        const expected = [{ kind: "change", change: { ...change, event: { ...event, type } } }]
        const eventGrid = spelled({ id, topic, eventType: type, eventTime: time, data })
        expect(parseChanges(eventGrid, own)).toEqual(expected)
        expect(
          parseChanges(spelled({ specversion: "1.0", id, source: topic, type, time, data }), own),
        ).toEqual(expected)
      }),
      runs,
    )
  })
})
