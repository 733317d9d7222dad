import type { Cell } from "./measureCell.ts"
import type { ScenarioName } from "./pipelineClient.ts"

/** One cell with what the servers say of it. */
export interface MeasuredCell extends Cell {
  readonly scenario: ScenarioName
  readonly round: number
  readonly bodyBytes: number
  readonly serverCpuMicrosPerBackup: number
}

/** Medians over the rounds of one scenario at one level. */
export interface MedianRow {
  readonly inFlight: number
  readonly scenario: ScenarioName
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosPerBackup: number
  readonly serverCpuMicrosPerBackup: number
  readonly bodyBytes: number
  /** Each figure over the floor's, measured in the same round. */
  readonly toRaw: Ratios
  readonly toSdk: Ratios
}

export interface Ratios {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly cpu: number
}

/** Medians of every scenario and level, in the order of the cells. Ratios are made within a round, then their median. */
export function medianRows(cells: readonly MeasuredCell[]): MedianRow[] {
  const groups = Map.groupBy(cells, ({ inFlight, scenario }) => `${inFlight} ${scenario}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const of = (pick: (cell: MeasuredCell) => number) => median(group.map(pick))
    const { inFlight, scenario } = first
    return {
      inFlight,
      scenario,
      perSecond: of((cell) => cell.perSecond),
      p50Ms: of((cell) => cell.p50Ms),
      p99Ms: of((cell) => cell.p99Ms),
      cpuMicrosPerBackup: of((cell) => cell.cpuMicrosPerBackup),
      serverCpuMicrosPerBackup: of((cell) => cell.serverCpuMicrosPerBackup),
      bodyBytes: of((cell) => cell.bodyBytes),
      toRaw: ratiosTo("raw", group, cells),
      toSdk: ratiosTo("sdk", group, cells),
    }
  })
}

function ratiosTo(
  scenario: ScenarioName,
  group: readonly MeasuredCell[],
  cells: readonly MeasuredCell[],
): Ratios {
  const ratio = (pick: (cell: MeasuredCell) => number) =>
    median(
      group.flatMap((cell) => {
        const base = cells.find(
          (other) =>
            other.scenario === scenario && other.round === cell.round && other.inFlight === cell.inFlight,
        )
        return base ? [pick(cell) / pick(base)] : []
      }),
    )
  return {
    perSecond: ratio((cell) => cell.perSecond),
    p50: ratio((cell) => cell.p50Ms),
    p99: ratio((cell) => cell.p99Ms),
    cpu: ratio((cell) => cell.cpuMicrosPerBackup),
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

const titleOf: Readonly<Record<ScenarioName, string>> = {
  raw: "(a) raw HTTPS and node:crypto",
  sdk: "(b) plain SDK clients",
  handler: "(c) our handler",
}

/** The rows as text: every figure with its ratio to (a), and (c) also to (b). */
export function formatRows(rows: readonly MedianRow[]): string {
  const head = ["in flight", "scenario", "backups/s", "p50 ms", "p99 ms", "client CPU us", "(c)/(b)"]
  const lines = rows.map((row) => {
    const { toRaw, toSdk } = row
    return [
      String(row.inFlight),
      titleOf[row.scenario],
      `${row.perSecond.toFixed(0)} ${times(toRaw.perSecond)}`,
      `${row.p50Ms.toFixed(2)} ${times(toRaw.p50)}`,
      `${row.p99Ms.toFixed(2)} ${times(toRaw.p99)}`,
      `${row.cpuMicrosPerBackup.toFixed(0)} ${times(toRaw.cpu)}`,
      row.scenario === "handler"
        ? `rate ${toSdk.perSecond.toFixed(2)}, p50 ${toSdk.p50.toFixed(2)}, CPU ${toSdk.cpu.toFixed(2)}`
        : "",
    ]
  })
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  return [head, ...lines]
    .map((line) =>
      line
        .map((text, column) =>
          column === 1 || column === 6
            ? text.padEnd(widths[column] ?? 0)
            : text.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

function times(ratio: number): string {
  return `(${ratio.toFixed(2)}x)`
}
