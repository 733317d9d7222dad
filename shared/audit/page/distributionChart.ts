import { axisX, axisY, gridY, lineY, rectY, ruleX, ruleY, text } from "@observablehq/plot"
import type { AuditReport } from "../auditReport.ts"
import { atLeastOne, drawChart, durationScale } from "./chart.ts"
import { formatDuration } from "./formatDuration.ts"

/** A bin with the share of versions in it, and in it and all before. */
export interface DistributionBin {
  readonly fromMs: number
  readonly toMs: number | null
  readonly count: number
  /** 0 to 1. */
  readonly share: number
  /** 0 to 1, exact at `toMs`. */
  readonly shareUpTo: number
}

/** The histogram of a report with its shares; empty when nothing was measured. */
export function distributionOf({ histogram }: AuditReport): readonly DistributionBin[] {
  const total = histogram.reduce((sum, { count }) => sum + count, 0)
  let before = 0
  return histogram.map(({ fromMs, toMs, count }) => {
    before += count
    return { fromMs, toMs, count, share: count / total, shareUpTo: before / total }
  })
}

/** How the latencies are spread: the share in each bin as bars, the share stored within a time as a line. */
export function drawDistribution(
  report: AuditReport,
  bins: readonly DistributionBin[],
  width: number,
): SVGElement | HTMLElement {
  const { limitMs } = report.query.objective
  const shown = bins.map((bin) => ({
    ...bin,
    from: atLeastOne(bin.fromMs),
    to: bin.toMs === null ? atLeastOne(bin.fromMs) * 10 : Math.max(2, bin.toMs),
  }))
  const curve = [
    { x: shown[0]?.from ?? 1, y: 0 },
    ...shown.map(({ to, shareUpTo }) => ({ x: to, y: shareUpTo })),
  ]
  const scale = durationScale([limitMs, ...shown.flatMap(({ from, to }) => [from, to])])
  const shares = [0, 0.25, 0.5, 0.75, 1]
  return drawChart(
    {
      width,
      height: 280,
      marginLeft: 50,
      marginRight: 22,
      marginTop: 22,
      marginBottom: 34,
      x: { type: "log", domain: scale.domain, label: null },
      y: { domain: [0, 1], label: null },
      marks: [
        gridY(shares, { stroke: "var(--line)", strokeOpacity: 1 }),
        axisY(shares, {
          tickFormat: (share: number) => `${share * 100} %`,
          tickSize: 0,
          fontSize: 12,
          fill: "var(--ink-soft)",
        }),
        axisX(width < 420 ? scale.ticks.filter((_, index) => index % 2 === 0) : scale.ticks, {
          text: scale.format,
          tickSize: 4,
          fontSize: 12,
          fill: "var(--ink-soft)",
          stroke: "var(--line-strong)",
        }),
        rectY(shown, {
          x1: "from",
          x2: "to",
          y1: 0,
          y2: "share",
          fill: "var(--band)",
          fillOpacity: 0.35,
          inset: 0.5,
        }),
        ruleY([0], { stroke: "var(--line-strong)" }),
        lineY(curve, { x: "x", y: "y", stroke: "var(--band)", strokeWidth: 2.25, curve: "linear" }),
        ruleX([limitMs], { stroke: "var(--bad)", strokeWidth: 1.5, strokeDasharray: "6 4" }),
        text([limitMs], {
          x: (value: number) => value,
          text: () => `objective ${formatDuration(limitMs)}`,
          frameAnchor: "top",
          textAnchor: "end",
          lineAnchor: "bottom",
          dy: -6,
          dx: 20,
          fontSize: 12,
          fontWeight: 600,
          fill: "var(--bad)",
        }),
      ],
    },
    `Share of versions by latency; the objective is ${formatDuration(limitMs)}`,
  )
}
