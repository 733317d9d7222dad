import { parse } from "dotenv"
import { describe, expect, it } from "vitest"
import { readDotenvFile } from "../../../local/import/dotenvFile.ts"
import { twoHundredEntries } from "./twoHundredEntries.ts"

const path = "some.env"

function read(text: string | Buffer) {
  return readDotenvFile({ path, bytes: Buffer.isBuffer(text) ? text : Buffer.from(text) })
}

describe("readDotenvFile", () => {
  it("reads 200 entries of every style, each with its line", () => {
    const { text, expected, lineOf } = twoHundredEntries()
    const { entries, problems, notes } = read(text)
    expect(new Map(entries.map(({ name, value }) => [name, value]))).toEqual(expected)
    expect(new Map(entries.map(({ name, line }) => [name, line]))).toEqual(lineOf)
    expect(Object.fromEntries(entries.map(({ name, value }) => [name, value]))).toEqual({ ...parse(text) })
    expect({ size: entries.length, problems, notes }).toEqual({ size: 200, problems: [], notes: [] })
  })

  it("names each bad line and imports the rest", () => {
    const { entries, problems } = read('A=1\r\nfor example\r\n\r\nB="open\r\nC=3\r\n!!\r\n')
    expect(entries).toEqual([
      { name: "A", value: "1", line: 1 },
      { name: "C", value: "3", line: 5 },
    ])
    expect(problems).toEqual([
      { file: path, line: 2, reason: expect.stringContaining("neither NAME=value nor a comment") },
      { file: path, line: 4, reason: expect.stringContaining('"B" begins with a quote that is not closed') },
      { file: path, line: 6, reason: expect.stringContaining("neither NAME=value nor a comment") },
    ])
  })

  it("lets the last of equal names win, and notes the lines", () => {
    const { entries, problems, notes } = read("A=1\nB=2\nA=3\n\nA=4\n")
    expect(entries).toEqual([
      { name: "A", value: "4", line: 5 },
      { name: "B", value: "2", line: 2 },
    ])
    expect(problems).toEqual([])
    expect(notes).toEqual([{ file: path, line: 5, reason: '"A" is set again and replaces lines 1, 3' }])
  })

  it("notes a value that a hash cut short", () => {
    const { entries, notes } = read("A=before#after\n")
    expect(entries).toMatchObject([{ value: "before" }])
    expect(notes).toMatchObject([
      { line: 1, reason: expect.stringContaining('the value of "A" ends at a #') },
    ])
  })

  it("leaves out only the values that are not UTF-8", () => {
    const latin1 = Buffer.from("# clé\nA=1 # clé\nB=clé\nC='x\nclé'\nD=\n", "latin1")
    const { entries, problems } = read(latin1)
    expect(entries.map(({ name, value }) => [name, value])).toEqual([
      ["A", "1"],
      ["D", ""],
    ])
    expect(problems).toEqual([
      { file: path, line: 3, reason: 'the value of "B" is not UTF-8 text' },
      { file: path, line: 5, reason: 'the value of "C" is not UTF-8 text' },
    ])
  })

  it("takes a carriage return alone for a line ending", () => {
    const { entries, problems } = read('A=1\r# c\r\rB="x\ry"\rno\r')
    expect(entries).toEqual([
      { name: "A", value: "1", line: 1 },
      { name: "B", value: "x\ny", line: 4 },
    ])
    expect(problems).toMatchObject([{ line: 6 }])
  })

  it("imports a replacement character that the file really has", () => {
    expect(read("A=a\uFFFDb\n")).toMatchObject({ entries: [{ value: "a\uFFFDb" }], problems: [] })
  })

  it.each([
    { name: "a name that the dotenv package does not give back", text: "__proto__=1\nA=2" },
    { name: "a value of many megabytes", text: `B="${"x".repeat(15_000_000)}"\nA=2` },
  ])("tells of $name", ({ text }) => {
    expect(read(text)).toMatchObject({
      entries: [{ name: "A" }],
      problems: [
        { line: 1, reason: expect.stringContaining("cannot be used as a name, or its value is far") },
      ],
    })
  })

  it.each([
    { name: "UTF-16, little end first", bytes: Buffer.from("\uFEFFA=1\n", "utf16le"), reason: "UTF-16" },
    {
      name: "UTF-16, big end first",
      bytes: Buffer.from("\uFEFFA=1\n", "utf16le").swap16(),
      reason: "UTF-16",
    },
    { name: "binary", bytes: Buffer.from([0x41, 0x3d, 0, 1, 2]), reason: "not text" },
  ])("refuses a file that is $name", ({ bytes, reason }) => {
    expect(read(bytes)).toEqual({
      entries: [],
      problems: [{ file: path, reason: expect.stringContaining(reason) }],
      notes: [],
    })
  })

  it("quotes no value, and no text of a bad line, in what it tells", () => {
    const text = "my hidden words\nA='hidden\nB=hidden#hidden\nB=hidden\nC-hidden: =\u0000".replace(
      "\u0000",
      "",
    )
    const { problems, notes } = read(text)
    expect(problems.length).toBeGreaterThan(1)
    expect(notes.length).toBeGreaterThan(1)
    expect(JSON.stringify([problems, notes])).not.toContain("hidden")
  })
})
