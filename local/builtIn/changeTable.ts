import type { Outcome } from "../../shared/backup/outcome.ts"
import { truncateMiddle } from "./truncateMiddle.ts"

/** One line of the table: what became of one change. */
export interface ChangeRow {
  /** The name of the object. */
  readonly object: string
  /** 32 hexadecimal digits; empty while it is not known. */
  readonly version: string
  /** `waiting`: nothing was heard of it yet. */
  readonly outcome: Outcome["outcome"] | "waiting"
  readonly tookMs?: number
  readonly blob?: string
  /** Only the public part of a certificate is stored: its policy keeps the private key in the vault. */
  readonly isPublicOnly?: boolean
}

const columns = ["object", "version", "outcome", "ms", "blob"] as const
type Column = (typeof columns)[number]
type Cells = Readonly<Record<Column, string>>

const headings: Cells = { object: "object", version: "version", outcome: "outcome", ms: "ms", blob: "blob" }
const gap = "  "
const shortVersionLength = 9
/** Below this a name or a blob tells nothing, and a column gives way. */
const leastLength = 8
/** Which columns give way on a terminal too narrow for all. */
const dropOrder: readonly Column[] = ["blob", "version", "ms"]

/**
 * The rows as lines of text, a heading first. All text in it is ASCII, so a character is one column.
 *
 * @param widthColumns - of the terminal: no line is longer, columns are aligned, long text has `…` in its middle,
 *   and versions show whole or as 8 digits. Without it, for files and pipes: nothing is cut, two spaces stand
 *   between columns, and `-` where a cell is empty.
 */
export function renderChangeTable(rows: readonly ChangeRow[], widthColumns?: number): readonly string[] {
  const table = [headings, ...rows.map(cellsOf)]
  if (widthColumns === undefined) {
    return table.map((cells) => columns.map((column) => cells[column] || "-").join(gap))
  }
  const widths = fitWidths(table, widthColumns)
  return table.map((cells) => truncateMiddle(alignedLine(cells, widths), widthColumns))
}

function cellsOf({ object, version, outcome: said, tookMs, blob, isPublicOnly }: ChangeRow): Cells {
  const outcome = isPublicOnly ? `${said}, PUBLIC PART ONLY` : said
  const ms = tookMs === undefined ? "" : Math.round(tookMs).toString()
  return { object, version, outcome, ms, blob: blob ?? "" }
}

function alignedLine(cells: Cells, widths: ReadonlyMap<Column, number>): string {
  const shown = [...widths].map(([column, width]) => {
    if (column === "ms") return cells.ms.padStart(width)
    const text = cells[column]
    const fitted = column === "version" ? shortVersion(text, width) : truncateMiddle(text, width)
    return fitted.padEnd(width)
  })
  return shown.join(gap).trimEnd()
}

function shortVersion(version: string, width: number): string {
  return version.length > width ? `${version.slice(0, width - 1)}…` : version
}

/** The columns to show, each with its width. Whole if all fits; else the version shrinks, then object and blob. */
function fitWidths(table: readonly Cells[], widthColumns: number): ReadonlyMap<Column, number> {
  const widths = new Map(
    columns.map((column) => [column, Math.max(...table.map((row) => row[column].length))]),
  )
  const excess = () => sum(widths.values()) + gap.length * (widths.size - 1) - widthColumns
  if (excess() <= 0) return widths
  widths.set("version", Math.min(shortVersionLength, widths.get("version") ?? 0))
  for (const dropped of [undefined, ...dropOrder]) {
    if (dropped !== undefined) widths.delete(dropped)
    if (excess() <= shrinkable(widths)) break
  }
  shrink(widths, excess())
  return widths
}

const shrinking = ["object", "blob"] as const

function shrinkable(widths: ReadonlyMap<Column, number>): number {
  return sum(shrinking.map((column) => Math.max(0, (widths.get(column) ?? 0) - leastLength)))
}

/** Takes from whichever of the two is the longer, until they are equal; then from both. */
function shrink(widths: Map<Column, number>, excess: number): void {
  for (let left = Math.min(excess, shrinkable(widths)); left > 0; left--) {
    const object = widths.get("object") ?? 0
    const blob = widths.get("blob") ?? 0
    if (blob >= object) widths.set("blob", blob - 1)
    else widths.set("object", object - 1)
  }
}

function sum(numbers: Iterable<number>): number {
  return Iterator.from(numbers).reduce((total, number) => total + number, 0)
}
