import type { ImportEntry, Remark } from "./fileKind.ts"
import { quoteName } from "./quoteName.ts"

/** Keeps the last entry of each name, in the place of the first, and notes which lines it replaced. */
export function lastOfEach(
  file: string,
  found: readonly ImportEntry[],
): { readonly entries: readonly ImportEntry[]; readonly notes: readonly Remark[] } {
  const last = new Map<string, ImportEntry>()
  const replacedLines = new Map<string, number[]>()
  for (const entry of found) {
    const earlier = last.get(entry.name)
    if (earlier !== undefined) {
      const lines = replacedLines.get(entry.name) ?? []
      lines.push(earlier.line)
      replacedLines.set(entry.name, lines)
    }
    last.set(entry.name, entry)
  }
  const notes = [...replacedLines].map(([name, lines]): Remark => {
    const where = `${lines.length === 1 ? "line" : "lines"} ${lines.join(", ")}`
    const line = last.get(name)?.line
    return {
      file,
      ...(line !== undefined && { line }),
      reason: `${quoteName(name)} is set again and replaces ${where}`,
    }
  })
  return { entries: [...last.values()], notes }
}
