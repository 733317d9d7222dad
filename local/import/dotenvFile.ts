import { decodeText } from "./decodeText.ts"
import type { FileReading, ImportEntry, ImportFile, Remark } from "./fileKind.ts"
import { lastOfEach } from "./lastOfEach.ts"
import { quoteName } from "./quoteName.ts"
import { scanDotenv, type DotenvStatement } from "./scanDotenv.ts"

/** Reads a dotenv file: the values are those of the dotenv package, and each line it passes over is a problem. */
export function readDotenvFile({ path: file, bytes }: ImportFile): FileReading {
  const decoded = decodeText(bytes)
  if ("problem" in decoded) return { entries: [], problems: [{ file, reason: decoded.problem }], notes: [] }
  const { statements, badLines } = scanDotenv(decoded.text)
  const found: ImportEntry[] = []
  const cut: Remark[] = []
  const problems: Remark[] = badLines.map((line) => ({ file, line, reason: notAStatement }))
  for (const { name, value, line, ...statement } of statements) {
    const problem = problemOf({ name, value, line, ...statement }, decoded.brokenLines)
    if (problem !== undefined) problems.push({ file, ...problem })
    else if (value !== undefined) {
      found.push({ name, value, line })
      if (statement.isCutAtHash) {
        cut.push({ file, line, reason: `the value of ${quoteName(name)} ends at a #; ${quoteTheHash}` })
      }
    }
  }
  const { entries, notes } = lastOfEach(file, found)
  return { entries, problems: byLine(problems), notes: byLine([...notes, ...cut]) }
}

const notAStatement =
  "the line is neither NAME=value nor a comment, and was left out; a value of several lines must be in quotes"
const quoteTheHash = "put the value in quotes if the # is part of it"

const notGiven = "cannot be used as a name, or its value is far longer than a vault takes"

/** Stands where bytes are not UTF-8; a file may also have the character itself. */
const replacement = "\uFFFD"

function problemOf(
  { name, value, line, lastLine, isUnterminated }: DotenvStatement,
  brokenLines: ReadonlySet<number>,
): { readonly line: number; readonly reason: string } | undefined {
  if (isUnterminated)
    return { line, reason: `the value of ${quoteName(name)} begins with a quote that is not closed` }
  for (let at = line; at <= lastLine && value?.includes(replacement) === true; at++) {
    if (brokenLines.has(at)) return { line: at, reason: `the value of ${quoteName(name)} is not UTF-8 text` }
  }
  if (value === undefined) return { line, reason: `${quoteName(name)} ${notGiven}` }
  return undefined
}

function byLine(remarks: readonly Remark[]): readonly Remark[] {
  return remarks.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
}
