import { axisX, axisY, barX, gridX, ruleX } from "@observablehq/plot"
import { drawChart } from "./chart.ts"
import { formatDuration } from "./formatDuration.ts"
import { type Row, shorten } from "./row.ts"
import { latencyStages } from "./stageWords.ts"
import { markLabel } from "./timelineChart.ts"

/** How many of the slowest are shown by stage. */
export const slowestShown = 10

/** Stored versions whose stages are known, the slowest first. */
export function slowestOf(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ story }) => story !== undefined).slice(0, slowestShown)
}

/** Where the time of the slowest went: one bar for each, cut by stage. */
export function drawStages(rows: readonly Row[], limitMs: number, width: number): SVGElement | HTMLElement {
  const isNarrow = width < 560
  const parts = rows.flatMap((row) =>
    latencyStages.map(({ stage, colour }) => ({
      key: row.key,
      // A clock that is behind makes a part negative; a bar has no such length, and the table tells the raw value.
      ms: Math.max(0, row.story?.stages[stage] ?? 0),
      colour: `var(${colour})`,
      row,
    })),
  )
  const mostMs = Math.max(1, ...rows.map(({ key }) => sum(parts.filter((part) => part.key === key))))
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const ticks = niceTicks(mostMs, isNarrow ? 3 : 5)
  return drawChart(
    {
      width,
      height: 40 + rows.length * 30,
      marginLeft: isNarrow ? 112 : 176,
      marginRight: 20,
      marginTop: 6,
      marginBottom: 32,
      x: { domain: [0, mostMs], label: null },
      y: { domain: rows.map(({ key }) => key), label: null, padding: 0.28 },
      marks: [
        gridX(ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
        axisX(ticks, {
          tickFormat: (ms: number) => formatDuration(ms),
          tickSize: 4,
          fontSize: 12,
          fill: "var(--ink-soft)",
          stroke: "var(--line-strong)",
        }),
        axisY({
          tickSize: 0,
          fontSize: 12,
          fill: "var(--ink)",
          tickFormat: (key: string) => shorten(byKey.get(key)?.name ?? "", isNarrow ? 14 : 24),
        }),
        barX(parts, {
          x: "ms",
          y: "key",
          z: "colour",
          fill: "colour",
          stroke: "var(--surface)",
          strokeWidth: 1,
          order: null,
        }),
        ...(limitMs <= mostMs
          ? [ruleX([limitMs], { stroke: "var(--bad)", strokeWidth: 1.5, strokeDasharray: "6 4" })]
          : []),
        // One mark for the whole bar, to point at and to open.
        barX(rows, {
          x1: 0,
          x2: mostMs,
          y: "key",
          fill: "var(--surface)",
          fillOpacity: 0,
          className: "marks",
        }),
      ],
    },
    `Where the time of the ${rows.length} slowest versions went`,
    rows.map((row) => ({ key: row.key, label: markLabel(row) })),
  )
}

function sum(parts: readonly { readonly ms: number }[]): number {
  return parts.reduce((total, { ms }) => total + ms, 0)
}

/** Round steps of a clock, from 0. */
function niceTicks(mostMs: number, about: number): number[] {
  const units = [1, 1000, 60_000, 3_600_000, 86_400_000]
  const unit = units.findLast((one) => one <= mostMs / 2) ?? 1
  const steps =
    unit === 60_000 || unit === 1000 ? [1, 2, 5, 10, 15, 30] : [1, 2, 3, 6, 12, 24, 48, 100, 200, 500]
  const rough = mostMs / about / unit
  const step = (steps.find((one) => one >= rough) ?? Math.ceil(rough)) * unit
  return Array.from({ length: Math.floor(mostMs / step) + 1 }, (_, index) => index * step)
}
