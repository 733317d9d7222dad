import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { parseChanges } from "../../../shared/change/parseChanges.ts"
import { decodeChanges } from "../../../shared/deadLetter/decodeBody.ts"
import { anEventGridEvent, anObject, vault } from "../../support/builders.ts"

const allowList = createAllowList([vault])
const text = JSON.stringify(anEventGridEvent())
const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16()
const le = Buffer.from(text, "utf16le")
const umlaut = Buffer.from(JSON.stringify({ ...anEventGridEvent(), subject: "Schlüssel" }), "latin1")

describe("decodeChanges", () => {
  it.each([
    { name: "UTF-16LE with a byte order mark", bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), le]) },
    {
      name: "UTF-16BE with a byte order mark",
      bytes: Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(le)]),
    },
    { name: "UTF-16LE without one", bytes: le },
    { name: "UTF-16BE without one", bytes: swapped(le) },
    { name: "Latin-1", bytes: umlaut },
  ])("finds the change in $name", ({ bytes }) => {
    // Set up such that reading it as UTF-8 does not do.
    expect(parseChanges(bytes, allowList)).toMatchObject([{ error: { code: "ERR_EVENT_LOSSY" } }])
    expect(decodeChanges(bytes, allowList)).toMatchObject([
      { kind: "change", change: { object: anObject() } },
    ])
  })

  it.each([
    { name: "noise", bytes: Buffer.from([0xff, 0x00, 0x81, 0x7f, 0xfe, 0x01]) },
    { name: "nothing", bytes: Buffer.alloc(0) },
    { name: "text in Latin-1 that is no event", bytes: Buffer.from("Schlüssel", "latin1") },
    { name: "a mark and no more", bytes: Buffer.from([0xff, 0xfe]) },
    {
      name: "UTF-8 that was lossy before it was sent",
      bytes: Buffer.from(JSON.stringify({ ...anEventGridEvent(), subject: "Schl\uFFFDssel" })),
    },
  ])("finds nothing in $name", ({ bytes }) => {
    expect(decodeChanges(bytes, allowList)).toBeUndefined()
  })

  it("finds the good events of an array beside a bad one", () => {
    const bytes = Buffer.from(JSON.stringify([{ garbage: 1 }, anEventGridEvent()]), "utf16le")
    expect(decodeChanges(bytes, allowList)).toMatchObject([
      { kind: "poison", error: { code: "ERR_EVENT_MALFORMED" } },
      { kind: "change" },
    ])
  })
})
