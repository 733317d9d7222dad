import { describe, expect, it } from "vitest"
import { readMessageBody } from "../../../shared/change/messageBody.ts"

const value = { a: [1, "x"] }
const text = JSON.stringify(value)
const framing = "@\u0006string\u00083http://schemas.microsoft.com/2003/10/Serialization/"

function outcome(body: unknown): unknown {
  const read = readMessageBody(body)
  return "error" in read ? read.error.code : read
}

describe("readMessageBody", () => {
  it.each([
    { name: "a parsed object", body: value, decodedFrom: "json" },
    {
      name: "text with a byte order mark, which the library leaves alone",
      body: `\uFEFF${text}`,
      decodedFrom: "json",
    },
    { name: "JSON text, which was a JSON string", body: text, decodedFrom: "quoted" },
    {
      name: "quoted text after a byte order mark",
      body: `\uFEFF${JSON.stringify(text)}`,
      decodedFrom: "quoted",
    },
    { name: "base64", body: Buffer.from(text).toString("base64"), decodedFrom: "base64" },
    {
      name: "base64 of text with a mark",
      body: Buffer.from(`\uFEFF${text}`).toString("base64"),
      decodedFrom: "base64",
    },
    { name: "a serialised string", body: `${framing}\uFFFD\u000d${text}`, decodedFrom: "dataContract" },
    { name: "a Buffer", body: Buffer.from(text), decodedFrom: "bytes" },
    { name: "a Uint8Array", body: new TextEncoder().encode(text), decodedFrom: "bytes" },
    { name: "bytes with a byte order mark", body: Buffer.from(`\uFEFF${text}`), decodedFrom: "bytes" },
    { name: "bytes of a JSON string", body: Buffer.from(JSON.stringify(text)), decodedFrom: "quoted" },
    {
      name: "bytes of base64",
      body: Buffer.from(Buffer.from(text).toString("base64")),
      decodedFrom: "base64",
    },
    {
      name: "bytes of a serialised string",
      body: Buffer.concat([Buffer.from(framing), Buffer.from([0x99, text.length]), Buffer.from(text)]),
      decodedFrom: "dataContract",
    },
  ])("reads $name and notes how", ({ body, decodedFrom }) => {
    expect(outcome(body)).toEqual({ value, decodedFrom })
  })

  it("hands a parsed array on as it is", () => {
    const array = [value]
    const read = readMessageBody(array)
    expect("value" in read && read.value).toBe(array)
  })

  it.each([
    { body: undefined, what: "undefined" },
    { body: null, what: "null" },
    { body: 12, what: "number" },
    { body: true, what: "boolean" },
    { body: "", what: "empty" },
    { body: "12", what: "number" },
    { body: Buffer.alloc(0), what: "empty" },
    { body: "plain text", what: "no JSON" },
    { body: JSON.stringify(JSON.stringify(text)), what: "string within" },
  ])("refuses $what", ({ body, what }) => {
    const read = readMessageBody(body)
    expect(read).toMatchObject({
      error: { code: "ERR_EVENT_MALFORMED", message: expect.stringContaining(what) },
    })
  })

  it.each([
    { name: "in text", body: 'x\uFFFD"' },
    { name: "in a string", body: { a: { b: ["x\uFFFD"] } } },
    { name: "in a member's name", body: { a: [{ "\uFFFD": 1 }] } },
    { name: "in an array", body: ["\uFFFD"] },
    { name: "after a byte order mark", body: `\uFEFF{"a":"\uFFFD"}` },
    { name: "as an escape in bytes", body: Buffer.from(String.raw`{"a":"\ufffd"}`) },
    { name: "in the JSON of a serialised string", body: `${framing}\uFFFD\u000d{"a":"\uFFFD"}` },
  ])("refuses a replacement character $name as lossy", ({ body }) => {
    expect(outcome(body)).toBe("ERR_EVENT_LOSSY")
  })

  it("takes a lossy length in the framing of whole JSON", () => {
    expect(outcome(`${framing}\uFFFD\uFFFD\u0001${text}`)).toEqual({ value, decodedFrom: "dataContract" })
  })

  it("looks for marks and framing at the beginning only", () => {
    const inner = { a: `\uFEFF${framing}` }
    expect(outcome(JSON.stringify(inner))).toEqual({ value: inner, decodedFrom: "quoted" })
    expect(outcome(`x${framing}\uFFFD\u000d${text}`)).toBe("ERR_EVENT_LOSSY")
    expect(outcome(`x${framing}ab${text}`)).toBe("ERR_EVENT_MALFORMED")
  })

  it("looks at every depth without running out of stack", () => {
    const depth = 200_000
    const deep = `${"[".repeat(depth)}"x"${"]".repeat(depth)}`
    expect(outcome(JSON.parse(deep))).toMatchObject({ decodedFrom: "json" })
    expect(outcome(JSON.parse(deep.replace("x", "\uFFFD")))).toBe("ERR_EVENT_LOSSY")
  })

  it("quotes nothing of the body", () => {
    for (const body of [
      "hunter2",
      "hunter2\uFFFD",
      '"hunter2"',
      `${framing}hunter2`,
      Buffer.from("hunter2"),
    ]) {
      const read = readMessageBody(body)
      expect("error" in read && read.error.message).not.toContain("hunter2")
    }
  })
})
