import type { AuditReport } from "../auditReport.ts"
import type { DistributionBin } from "./distributionChart.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import type { Row } from "./row.ts"
import { chartTable } from "./section.ts"
import { latencyStages } from "./stageWords.ts"

/** The timeline's buckets as a table. */
export function timelineTable({ timeline }: AuditReport): HTMLElement {
  const ms = (value: number | null) => (value === null ? "–" : formatDuration(value))
  return chartTable(
    "Timeline as a table",
    ["stored from (UTC)", "to", "versions", "p50", "p99", "maximum", "late", "open gaps"],
    () =>
      timeline.map(({ from, to, count, p50Ms, p99Ms, maxMs, breaches, openGaps }) => [
        formatSecond(from),
        formatSecond(to),
        count.toLocaleString("en-US"),
        ms(p50Ms),
        ms(p99Ms),
        ms(maxMs),
        breaches.toLocaleString("en-US"),
        openGaps.toLocaleString("en-US"),
      ]),
  )
}

/** The bins of the distribution as a table. */
export function distributionTable(bins: readonly DistributionBin[]): HTMLElement {
  return chartTable(
    "Distribution as a table",
    ["latency from", "to", "versions", "share", "share up to here"],
    () =>
      bins.map(({ fromMs, toMs, count, share, shareUpTo }) => [
        formatDuration(fromMs),
        toMs === null ? "no end" : formatDuration(toMs),
        count.toLocaleString("en-US"),
        percent(share),
        percent(shareUpTo),
      ]),
  )
}

/** The stages of the slowest as a table, raw. */
export function stageTable(rows: readonly Row[]): HTMLElement {
  return chartTable(
    "Stages as a table",
    ["version", "latency", ...latencyStages.map(({ name }) => name)],
    () =>
      rows.map(({ name, version, latencyMs, story }) => [
        `${name} ${version.slice(0, 8)}`,
        formatDuration(latencyMs),
        ...latencyStages.map(({ stage }) => {
          const ms = story?.stages[stage]
          return ms === null || ms === undefined ? "–" : formatDuration(ms)
        }),
      ]),
  )
}

/** Never 100 % when it is less. */
function percent(share: number): string {
  const rounded = (Math.floor(share * 10_000) / 100).toFixed(2)
  return `${Number(rounded)} %`
}
