import {
  axisX,
  axisY,
  dot,
  gridY,
  type MarkOptions,
  pointer,
  rectY,
  ruleX,
  ruleY,
  text,
  tip,
} from "@observablehq/plot"
import type { AuditReport } from "../auditReport.ts"
import { atLeastOne, drawChart, durationScale } from "./chart.ts"
import { timeTickFormat } from "./timeTicks.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond, formatTime } from "./formatTime.ts"
import { type Row, stateWords } from "./row.ts"

/** Late ones and gaps have a shape of their own, not only a colour. */
const symbols = { within: "circle", late: "triangle", gap: "times" } as const

/**
 * Latency by the time of storing: for each bucket a bar from p50 to the maximum with a line at p99, over it each version
 * that the report names, and the objective as a line. Nothing where nothing happened: idle is not lag.
 */
export function drawTimeline(
  report: AuditReport,
  rows: readonly Row[],
  width: number,
): SVGElement | HTMLElement {
  const { limitMs } = report.query.objective
  const isNarrow = width < 560
  const buckets = report.timeline
    .filter((bucket) => bucket.p50Ms !== null)
    .map(({ from, to, p50Ms, p99Ms, maxMs }) => ({
      from: new Date(from),
      to: new Date(to),
      p50: atLeastOne(p50Ms ?? 0),
      p99: atLeastOne(p99Ms ?? 0),
      most: atLeastOne(maxMs ?? 0),
    }))
  const points = rows.map((row) => ({ key: row.key, x: row.at, y: atLeastOne(row.latencyMs), row }))
  const scale = durationScale([
    limitMs,
    ...buckets.flatMap(({ p50, most }) => [p50, most]),
    ...points.map(({ y }) => y),
  ])
  const [from, to] = timeDomain(buckets, points, report.query.until)
  const place = { x: "x", y: "y" } satisfies MarkOptions & { x: string; y: string }
  return drawChart(
    {
      width,
      height: isNarrow ? 280 : 320,
      marginLeft: 58,
      marginRight: 16,
      marginTop: 22,
      marginBottom: 34,
      x: { type: "utc", domain: [from, to], label: null },
      y: { type: "log", domain: scale.domain, label: null },
      marks: [
        gridY(scale.ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
        axisY(scale.ticks, { text: scale.format, tickSize: 0, fontSize: 12, fill: "var(--ink-soft)" }),
        axisX({
          ticks: isNarrow ? 3 : Math.round(width / 150),
          tickFormat: timeTickFormat(to.getTime() - from.getTime()),
          tickSize: 4,
          fontSize: 12,
          fill: "var(--ink-soft)",
          stroke: "var(--line-strong)",
        }),
        rectY(buckets, {
          x1: "from",
          x2: "to",
          y1: "p50",
          y2: "most",
          fill: "var(--band)",
          fillOpacity: 0.16,
          insetLeft: 0.5,
          insetRight: 0.5,
        }),
        ...(["p50", "p99"] as const).map((percentile) =>
          ruleY(buckets, {
            x1: "from",
            x2: "to",
            y: percentile,
            stroke: "var(--band)",
            strokeWidth: percentile === "p99" ? 2 : 1,
            strokeDasharray: percentile === "p99" ? "none" : "2 2",
          }),
        ),
        ruleY([limitMs], { stroke: "var(--bad)", strokeWidth: 1.5, strokeDasharray: "6 4" }),
        ruleX(
          points,
          pointer({
            ...place,
            py: "y",
            stroke: "var(--line-strong)",
            strokeOpacity: 0.6,
            ariaHidden: "true",
          }),
        ),
        dot(points, {
          ...place,
          symbol: ({ row }: (typeof points)[number]) => symbols[row.state],
          r: isNarrow ? 4 : 4.5,
          fill: ({ row }: (typeof points)[number]) => (row.state === "within" ? "var(--dot)" : "var(--bad)"),
          fillOpacity: 0.75,
          stroke: ({ row }: (typeof points)[number]) =>
            row.state === "within" ? "var(--surface)" : "var(--bad)",
          strokeWidth: ({ row }: (typeof points)[number]) => (row.state === "gap" ? 2.5 : 0.75),
          sort: null,
          className: "marks",
        }),
        text([limitMs], {
          y: (value: number) => value,
          text: () => `objective ${formatDuration(limitMs)}`,
          frameAnchor: "right",
          textAnchor: "end",
          lineAnchor: "bottom",
          dy: -4,
          fontSize: 12,
          fontWeight: 600,
          fill: "var(--bad)",
          stroke: "var(--surface)",
          strokeWidth: 4,
        }),
        tip(
          points,
          pointer({
            ...place,
            title: ({ row }: (typeof points)[number]) => tipOf(row),
            fontSize: 12,
            lineHeight: 1.35,
            fill: "var(--surface)",
            stroke: "var(--line-strong)",
            textPadding: 10,
            maxRadius: 60,
            ariaHidden: "true",
          }),
        ),
      ],
    },
    `Latency of ${points.length} versions by the time of storing; the objective is ${formatDuration(limitMs)}`,
    points.map(({ key, row }) => ({ key, label: markLabel(row) })),
  )
}

/** What a mark says when it is read out, or shown below the chart. */
export function markLabel(row: Row): string {
  const { name, kind, latencyMs, state, at } = row
  const length = formatDuration(latencyMs)
  return state === "gap"
    ? `${kind} ${name}: not protected, open for ${length}`
    : `${kind} ${name}: ${length}, ${stateWords[state]}, stored ${formatSecond(at)} UTC`
}

function tipOf({ name, version, latencyMs, state, at }: Row): string {
  const length = formatDuration(latencyMs)
  return [
    name.length > 40 ? `${name.slice(0, 39)}…` : name,
    `version ${version.slice(0, 8)}…`,
    state === "gap" ? `not protected, open for ${length}` : `${length}, ${stateWords[state]}`,
    `${state === "gap" ? "recorded" : "stored"} ${formatTime(at)} UTC`,
  ].join("\n")
}

/** Room for all that is shown, and never an axis without extent. */
function timeDomain(
  buckets: readonly { readonly from: Date; readonly to: Date }[],
  points: readonly { readonly x: Date }[],
  until: string,
): [Date, Date] {
  const times = [...buckets.flatMap(({ from, to }) => [from, to]), ...points.map(({ x }) => x)].map(Number)
  const end = Date.parse(until)
  const least = times.reduce((one, other) => Math.min(one, other), end)
  const most = times.reduce((one, other) => Math.max(one, other), times.length > 0 ? -Infinity : end)
  const room = Math.max(1000, (most - least) * 0.02)
  return [new Date(least - room), new Date(most + room)]
}
