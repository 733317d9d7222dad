import { decodeText } from "./decodeText.ts"
import type { FileReading, ImportEntry, ImportFile, Remark } from "./fileKind.ts"
import { lastOfEach } from "./lastOfEach.ts"
import { createLineCounter } from "./lineCounter.ts"
import { quoteName } from "./quoteName.ts"
import { scanJson } from "./scanJson.ts"

/**
 * Reads a JSON object of names and strings. Only strings are values: the JSON text of a number (`1e3`, `1.0`) is
 * seldom the text that was meant. A file that is not JSON throughout gives nothing, as its end may be missing.
 */
export function readJsonFile({ path: file, bytes }: ImportFile): FileReading {
  const decoded = decodeText(bytes)
  if ("problem" in decoded) return nothing({ file, reason: decoded.problem })
  const [brokenLine] = decoded.brokenLines
  if (brokenLine !== undefined)
    return nothing({ file, line: brokenLine, reason: "the line is not UTF-8 text" })
  const { text } = decoded
  const lineOf = createLineCounter(text)
  const scan = scanJson(text)
  if ("errorOffset" in scan) {
    const line = lineOf(scan.errorOffset)
    return nothing({
      file,
      line,
      reason: "the file is not JSON from this line on; nothing of it was imported",
    })
  }
  if ("outermost" in scan) {
    return nothing({
      file,
      line: 1,
      reason: `the file must hold an object of names and strings, not ${scan.outermost}`,
    })
  }
  const found: ImportEntry[] = []
  const problems: Remark[] = []
  for (const { name, offset, value } of scan.members) {
    const line = lineOf(offset)
    if ("text" in value) found.push({ name, value: value.text, line })
    else
      problems.push({
        file,
        line,
        reason: `the value of ${quoteName(name)} is ${value.type}; only strings are imported`,
      })
  }
  return { ...lastOfEach(file, found), problems }
}

function nothing(problem: Remark): FileReading {
  return { entries: [], problems: [problem], notes: [] }
}
