import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readJsonFile } from "../../../local/import/jsonFile.ts"
import { scanJson } from "../../../local/import/scanJson.ts"

const path = "some.json"
const numRuns = process.env["SLOW"] === "1" ? 100_000 : 10_000

function read(text: string | Buffer) {
  return readJsonFile({ path, bytes: Buffer.isBuffer(text) ? text : Buffer.from(text) })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** JSON with a piece cut out, put in or doubled: mostly almost JSON. */
const nearlyJson = fc
  .tuple(
    fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.dictionary(fc.string(), fc.string()).map((o) => JSON.stringify(o, null, 1)),
    ),
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom(
      "",
      "",
      ",",
      '"',
      "{",
      "}",
      "[",
      "]",
      ":",
      "0",
      "-",
      ".",
      "e",
      "\\",
      "\\u12",
      "\n",
      "\t",
      "\u00a0",
      "true",
    ),
  )
  .map(([json, at, cut, put]) => {
    const start = at % (json.length + 1)
    return json.slice(0, start) + put + json.slice(start + cut)
  })

describe("scanJson", () => {
  it("accepts exactly what JSON.parse accepts", () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect("errorOffset" in scanJson(text)).toBe(!isJson(text))
      }),
      { numRuns },
    )
  })

  it("finds the members that JSON.parse finds", () => {
    const object = fc.dictionary(
      fc.string(),
      fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 })),
    )
    fc.assert(
      fc.property(object, fc.constantFrom(0, 2), (written, indent) => {
        const text = JSON.stringify(written, null, indent)
        const scan = scanJson(text)
        const members = "members" in scan ? scan.members : []
        const texts = members.flatMap(({ name, value }) =>
          "text" in value ? [[name, value.text] as const] : [],
        )
        const parsed: Record<string, unknown> = JSON.parse(text)
        expect(members.map(({ name }) => name).sort()).toEqual(Object.keys(parsed).sort())
        expect(new Map(texts)).toEqual(
          new Map(Object.entries(parsed).filter(([, value]) => typeof value === "string")),
        )
      }),
      { numRuns: numRuns / 20 },
    )
  })

  it("takes a value of a million escapes, and refuses endless nesting", () => {
    const long = `{"a": "${"\\n".repeat(1_000_000)}${"x".repeat(1_000_000)}"}`
    expect(scanJson(long)).toMatchObject({ members: [{ name: "a" }] })
    expect(scanJson("[".repeat(1_000_000))).toEqual({ errorOffset: 501 })
  })
})

describe("readJsonFile", () => {
  it("reads names and strings with their lines, also with CRLF and a byte order mark", () => {
    const { entries, problems, notes } = read(
      '\uFEFF{\r\n  "A": "a\\r\\n\\u00e6",\r\n  "B": "",\r\n\r\n  "C": "é"\r\n}\r\n',
    )
    expect(entries).toEqual([
      { name: "A", value: "a\r\næ", line: 2 },
      { name: "B", value: "", line: 3 },
      { name: "C", value: "é", line: 5 },
    ])
    expect([problems, notes]).toEqual([[], []])
  })

  it("names each value that is no string and imports the rest", () => {
    const { entries, problems } = read(
      '{"A": 1,\n"B": {"x": "y"},\n"C": "c",\n"D": [],\n"E": true,\n"F": null}',
    )
    expect(entries).toEqual([{ name: "C", value: "c", line: 3 }])
    expect(problems.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
      '1: the value of "A" is a number; only strings are imported',
      '2: the value of "B" is an object; only strings are imported',
      '4: the value of "D" is an array; only strings are imported',
      '5: the value of "E" is a boolean; only strings are imported',
      '6: the value of "F" is null; only strings are imported',
    ])
  })

  it("lets the last of equal names win, and notes the lines", () => {
    expect(read('{"A": "1",\n"A": "2"}')).toEqual({
      entries: [{ name: "A", value: "2", line: 2 }],
      problems: [],
      notes: [{ file: path, line: 2, reason: '"A" is set again and replaces line 1' }],
    })
  })

  it.each([
    { name: "a comma too many", text: '{"A": "hidden",\n}', line: 2 },
    { name: "a comma missing", text: '{"A": "hidden"\n"B": "hidden"}', line: 2 },
    { name: "a string without end", text: '{"A":\n"hidden\n}', line: 2 },
    { name: "no closing brace", text: '{\n"A": "hidden"\n', line: 3 },
    { name: "a comment", text: '{\n"A": "hidden",\n\n// hidden\n"B": "b"}', line: 4 },
    { name: "text behind the end", text: "{}\n\nhidden", line: 3 },
    { name: "nothing in it", text: "", line: 1 },
    { name: "bytes that are not UTF-8", text: Buffer.from('{\n"A": "hidd\u00e9n"}', "latin1"), line: 2 },
  ])("names the line of $name and quotes nothing", ({ text, line }) => {
    const reading = read(text)
    expect(reading).toMatchObject({ entries: [], problems: [{ file: path, line }], notes: [] })
    expect(reading.problems[0]?.reason).not.toContain("hidd")
  })

  it.each(['"hidden"', "[]", "1", "null"])("refuses %s as the whole file", (text) => {
    const { entries, problems } = read(text)
    expect(entries).toEqual([])
    expect(problems).toMatchObject([
      { reason: expect.stringContaining("must hold an object of names and strings") },
    ])
    expect(problems[0]?.reason).not.toContain("hidden")
  })
})
