import { parse } from "dotenv"
import { createLineCounter } from "./lineCounter.ts"

/** One `NAME=value` of a dotenv file. */
export interface DotenvStatement {
  readonly name: string
  /**
   * What the dotenv package reads; undefined where it does not give the name back, or
   * where the statement is longer than a million characters.
   */
  readonly value: string | undefined
  /** First and last line, from 1. */
  readonly line: number
  readonly lastLine: number
  /** The value begins with a quote that nothing closes, and so has the quote in it. */
  readonly isUnterminated: boolean
  /** A `#` that follows other text directly ended the value. */
  readonly isCutAtHash: boolean
}

export interface DotenvScan {
  readonly statements: readonly DotenvStatement[]
  /** Lines, from 1, that are neither a statement nor a comment nor blank. */
  readonly badLines: readonly number[]
}

/**
 * Finds the statements of a dotenv file and their lines; the dotenv package reads the value of each. Taken
 * together, last one wins, they are what the package reads from the whole text.
 *
 * @param text - with `\n` as the only line ending.
 */
export function scanDotenv(text: string): DotenvScan {
  const statements: DotenvStatement[] = []
  const badLines: number[] = []
  const lineOf = createLineCounter(text)
  let position = 0
  while (position < text.length) {
    const start = skipSpace(text, position)
    if (start === text.length) break
    if (text[start] === "#") {
      position = endOfLine(text, start)
      continue
    }
    const head = matchAt(statementHead, text, start)
    const name = head?.[1]
    if (head === undefined || name === undefined) {
      badLines.push(lineOf(start))
      position = endOfLine(text, start)
      continue
    }
    const valueStart = start + head[0].length
    const closedAt = endOfQuoted(text, valueStart)
    const end = closedAt ?? endOfUnquoted(text, valueStart)
    const line = lineOf(start)
    const unquoted = closedAt === undefined ? text.slice(valueStart, end) : ""
    statements.push({
      name,
      value: valueOf(text.slice(start, end), name),
      line,
      lastLine: lineOf(end),
      isUnterminated: isUnterminated(unquoted.trim()),
      isCutAtHash: closedAt === undefined && text[end] === "#" && !/\s/.test(text[end - 1] ?? " "),
    })
    position = text[end] === "#" ? endOfLine(text, end) : end
  }
  return { statements, badLines: [...new Set(badLines)] }
}

/** A colon must be followed by a space, and that space may be a line ending: so says the package. */
const statementHead = /(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/y
const space = /\s*/y
/** Not only `\n`: the package's pattern ends lines where a JavaScript regular expression does. */
const lineEnd = /[\n\u2028\u2029]/g
const restOfLine = /[^\S\n\u2028\u2029]*(?:$|[#\n\u2028\u2029])/y
const quotes: ReadonlySet<string | undefined> = new Set(["'", '"', "`"])

/** The end of a quoted value, or undefined where there is none: then what looks like a quote is text. */
function endOfQuoted(text: string, valueStart: number): number | undefined {
  const open = skipSpace(text, valueStart)
  const quote = text[open]
  if (quote === undefined || !quotes.has(quote)) return undefined
  let end: number | undefined
  for (let at = text.indexOf(quote, open + 1); at !== -1; at = text.indexOf(quote, at + 1)) {
    const isEscaped = text[at - 1] === "\\"
    if (matchAt(restOfLine, text, at + 1) !== undefined) end = at + 1
    // An escaped quote may still be the closing one, but only if no later one is.
    if (!isEscaped) break
  }
  return end
}

function endOfUnquoted(text: string, valueStart: number): number {
  for (let at = valueStart; at < text.length; at++) {
    if (text[at] === "#" || text[at] === "\n") return at
  }
  return text.length
}

function isUnterminated(value: string): boolean {
  const quote = value[0]
  if (!quotes.has(quote)) return false
  for (let at = 1; at < value.length; at++) {
    if (value[at] === quote && value[at - 1] !== "\\") return false
  }
  return true
}

/** The package's pattern runs out of stack somewhere above; a vault takes 25,600 bytes. */
const maxStatementLength = 1_000_000

function valueOf(statement: string, name: string): string | undefined {
  if (statement.length > maxStatementLength) return undefined
  const parsed = parse(statement)
  return Object.hasOwn(parsed, name) ? parsed[name] : undefined
}

function skipSpace(text: string, position: number): number {
  return position + (matchAt(space, text, position)?.[0].length ?? 0)
}

function endOfLine(text: string, position: number): number {
  lineEnd.lastIndex = position
  return lineEnd.exec(text)?.index ?? text.length
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | undefined {
  pattern.lastIndex = position
  return pattern.exec(text) ?? undefined
}
