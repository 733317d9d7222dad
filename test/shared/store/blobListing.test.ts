import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createListingParser } from "../../../shared/store/blobListing.ts"
import { propertyRuns } from "../../support/propertyRuns.ts"

const created = "Sun, 01 Mar 2026 10:00:00 GMT"
const blob = (name: string, metadata = "<Metadata />") =>
  `<Blob><Name>${name}</Name><Properties><Creation-Time>${created}</Creation-Time><Last-Modified>Mon, 02 Mar 2026 10:00:00 GMT</Last-Modified><Content-Length>42</Content-Length><Content-MD5 /></Properties>${metadata}<OrMetadata /></Blob>`
const page = (blobs: string, marker = "<NextMarker />") =>
  `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a/" ContainerName="c"><MaxResults>5000</MaxResults><Blobs>${blobs}</Blobs>${marker}</EnumerationResults>`

/** Reads `text` cut at every `size` characters. */
function parse(text: string, size = text.length) {
  const parser = createListingParser()
  const blobs = []
  for (let from = 0; from < text.length; from += size)
    blobs.push(...parser.push(text.slice(from, from + size)))
  return { blobs, next: parser.end() }
}

const escape = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")

describe("createListingParser", () => {
  it("reads a page with its next marker", () => {
    const metadata =
      "<Metadata><putat>2026-03-01T10:00:00.000Z</putat><empty></empty><kid>a,b</kid></Metadata>"
    expect(
      parse(page(blob("v1/a", metadata) + blob("v1/b"), "<NextMarker>2!76!abc&amp;d</NextMarker>")),
    ).toEqual({
      blobs: [
        {
          name: "v1/a",
          createdAt: new Date(created),
          sizeBytes: 42,
          metadata: { putat: "2026-03-01T10:00:00.000Z", empty: "", kid: "a,b" },
        },
        { name: "v1/b", createdAt: new Date(created), sizeBytes: 42, metadata: {} },
      ],
      next: "2!76!abc&d",
    })
  })

  it("reads an empty page", () => {
    expect(parse(page(""))).toEqual({ blobs: [], next: undefined })
    expect(parse(page("").replace("<Blobs></Blobs>", "<Blobs />"))).toEqual({ blobs: [], next: undefined })
  })

  it("goes by the last change where there is no time of creation", () => {
    const text = page(blob("a")).replace(/<Creation-Time>.*<\/Creation-Time>/, "")
    expect(parse(text).blobs[0]?.createdAt).toEqual(new Date("2026-03-02T10:00:00Z"))
  })

  it("decodes a name that XML cannot hold", () => {
    const text = page(blob("x")).replace("<Name>x<", '<Name Encoded="true">a%01b%3Cc<')
    expect(parse(text).blobs[0]?.name).toBe("a\u0001b<c")
  })

  it("reads any names and values, wherever the text is cut", () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).filter((name) => !/[\p{C}\s\uFEFF]/u.test(name))
    const names = fc.array(fc.record({ name: text, value: text }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 700 }), (given, size) => {
        const blobs = given.map(({ name, value }) =>
          blob(escape(name), `<Metadata><key>${escape(value)}</key></Metadata>`),
        )
        expect(parse(page(blobs.join("")), size).blobs.map(({ name, metadata }) => [name, metadata])).toEqual(
          given.map(({ name, value }) => [name, { key: value }]),
        )
      }),
      propertyRuns(100),
    )
  })

  it.each([
    { name: "a page of a proxy", text: "<html><body>Sign in</body></html>" },
    { name: "nothing", text: "" },
    { name: "a page that breaks off between blobs", text: page(blob("a")).slice(0, -30) },
    { name: "a page that breaks off in a blob", text: page(blob("a") + blob("b")).slice(0, -80) },
    { name: "a blob without a name", text: page(blob("a").replace(/<Name>.*<\/Name>/, "")) },
    { name: "a blob without a time", text: page(blob("a").replaceAll(/2026/g, "someday")) },
    { name: "a blob that never ends", text: page(`<Blob>${"x".repeat(1_100_000)}`) },
  ])("refuses $name, cut anywhere", ({ text }) => {
    expect(() => parse(text, 1000)).toThrow(SyntaxError)
  })
})
