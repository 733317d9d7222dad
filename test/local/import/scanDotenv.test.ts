import { parse } from "dotenv"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { scanDotenv } from "../../../local/import/scanDotenv.ts"
import { anyText, writtenFile } from "./dotenvText.ts"

const numRuns = process.env["SLOW"] === "1" ? 100_000 : 10_000

function valuesOf(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  for (const { name, value } of scanDotenv(normalised(text)).statements) {
    if (value !== undefined) values[name] = value
  }
  return values
}

function normalised(text: string): string {
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n")
}

describe("scanDotenv", () => {
  it("reads what the dotenv package reads, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(valuesOf(text)).toEqual({ ...parse(text) })
      }),
      { numRuns },
    )
  })

  it("reads what was written, in every style, as the dotenv package does", () => {
    fc.assert(
      fc.property(writtenFile, ({ text, expected }) => {
        const { statements, badLines } = scanDotenv(normalised(text))
        expect(valuesOf(text)).toEqual({ ...parse(text) })
        expect(new Map(statements.map(({ name, value }) => [name, value]))).toEqual(expected)
        expect(badLines).toEqual([])
        expect(statements.filter(({ isUnterminated }) => isUnterminated)).toEqual([])
      }),
      { numRuns: numRuns / 10 },
    )
  })

  it("accounts for every line: a statement, a bad line, a comment or blank", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const plain = normalised(text).replaceAll(/[\u2028\u2029]/g, "")
        const { statements, badLines } = scanDotenv(plain)
        const taken = new Set(badLines)
        for (const { line, lastLine } of statements) {
          for (let at = line; at <= lastLine; at++) taken.add(at)
        }
        const left = plain.split("\n").filter((_, index) => !taken.has(index + 1))
        expect(left.filter((line) => !/^\s*(?:#.*)?$/.test(line))).toEqual([])
      }),
      { numRuns },
    )
  })

  it.each([
    { name: "a line of words", text: "A=1\nsome words\nB=2", bad: [2] },
    { name: "no name", text: "=1\n = 2", bad: [1, 2] },
    { name: "a name of other letters", text: "naïve=1\n\n\nB=2", bad: [1] },
    { name: "a name in quotes", text: '# c\n"A"=1', bad: [2] },
    { name: "a colon without a space", text: "A:1", bad: [1] },
    { name: "export alone", text: "export\nexport A", bad: [1, 2] },
    { name: "the last line without an ending", text: "A=1\r\n\r\n?", bad: [3] },
  ])("names the line of $name", ({ text, bad }) => {
    expect(scanDotenv(normalised(text)).badLines).toEqual(bad)
  })

  it.each([
    { name: "a double quote", text: 'A="one\nB=2' },
    { name: "a single quote", text: "A='one # comment\nB=2" },
    { name: "a backtick", text: "A= `\nB=2" },
    { name: "a quote closed only by an escaped one", text: 'A="one \\" two\nB=2' },
    { name: "a quote that another line's quotes cannot close", text: 'A="one\nC="x"\nB=2' },
  ])("tells that $name is not closed, and goes on", ({ text }) => {
    const { statements } = scanDotenv(text)
    expect(statements.find(({ name }) => name === "A")).toMatchObject({ line: 1, isUnterminated: true })
    expect(statements.find(({ name }) => name === "B")).toMatchObject({ value: "2", isUnterminated: false })
  })

  it.each([
    { name: "text after the closing quote", text: 'A="one" two', value: '"one" two' },
    { name: "an apostrophe in apostrophes", text: "A='it's'", value: "it's" },
    { name: "a backslash before the closing quote", text: 'A="C:\\dir\\"', value: "C:\\dir\\" },
  ])("does not take $name for a quote that is not closed", ({ text, value }) => {
    expect(scanDotenv(text).statements).toMatchObject([{ value, isUnterminated: false }])
  })

  it("gives the lines of a value of several lines", () => {
    const { statements } = scanDotenv('# c\n\nA="one\n\ntwo" # c\nB=2')
    expect(statements).toMatchObject([
      { name: "A", value: "one\n\ntwo", line: 3, lastLine: 5 },
      { name: "B", line: 6, lastLine: 6 },
    ])
  })

  it.each([
    { text: "A=ab#cd", isCutAtHash: true },
    { text: "A=#cd", isCutAtHash: true },
    { text: "A=ab #cd", isCutAtHash: false },
    { text: 'A="ab#cd"', isCutAtHash: false },
    { text: 'A="ab"#cd', isCutAtHash: false },
  ])("tells $isCutAtHash whether a hash cuts $text", ({ text, isCutAtHash }) => {
    expect(scanDotenv(text).statements).toMatchObject([{ isCutAtHash }])
  })
})
