import type { AuditGroup, AuditReport } from "../shared/audit/auditReport.ts"
import { isMeaningful } from "../shared/audit/percentile.ts"
import { stages } from "../shared/audit/stages.ts"
import { formatMs, formatObjective, formatSpan } from "./figures.ts"
import { formatProblems } from "./statusText.ts"
import { formatTable } from "./textTable.ts"

const mostListed = 10

/** The report for people. Every figure in it is exact to the millisecond. */
export function formatAuditTable(report: AuditReport): string[] {
  const parts = [
    formatHead(report),
    formatVerdict(report),
    formatVaults(report),
    ...(["all", "vault"] as const).map((scope) => formatStages(report, scope)),
    formatWorst(report),
    formatGaps(report),
    formatQueues(report),
    formatProblems(report.problems),
  ]
  return [
    `${parts
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join("\n"))
      .join("\n\n")}\n`,
  ]
}

function formatHead({ query, complete, attention, prefixes }: AuditReport): string[] {
  const from = query.since ?? "the first blob"
  const others = Object.entries(prefixes).filter(
    ([name, count]) => name !== "records" && name !== "gaps" && count !== null && count > 0,
  )
  const also = others.map(([name, count]) => `, ${count} ${name}`).join("")
  return [
    `Audit of ${query.vaults.join(", ")}`,
    `  period           ${from} to ${query.until}, by the time the service witnessed`,
    `  blobs            ${countOf(prefixes.records, "record")}, ${countOf(prefixes.gaps, "gap")}${also}`,
    `  answer           ${complete ? "complete" : "INCOMPLETE, see below"}`,
    `  attention        ${attention.length > 0 ? attention.join(", ") : "none"}`,
  ]
}

function formatVerdict({ objective, query }: AuditReport): string[] {
  const { population, measured, unmeasured, within, breaches, unprotected, budget, latency } = objective
  const untold = population === 0 ? "nothing to judge" : "cannot tell"
  const verdict = objective.met === null ? untold : objective.met ? "met" : "NOT MET"
  const { percentile } = query.objective
  const judged = measured + unprotected
  const few =
    judged === 0 || isMeaningful(percentile, judged)
      ? ""
      : `: of ${countOf(judged, "version")} it means nothing, it is the maximum`
  const worth =
    objective.percentileMs === null ? (judged > 0 ? "not protected" : "-") : formatMs(objective.percentileMs)
  return [
    `Objective ${formatObjective(query.objective)}: ${verdict}`,
    `  versions         ${population}: ${measured} measured, ${unmeasured} not measurable, ${unprotected} not protected`,
    `  in time          ${within}, late ${breaches}`,
    `  ${`p${percentile}`.padEnd(16)} ${worth}${few}`,
    ...(latency
      ? [
          `  stored ones      p50 ${formatMs(latency.p50Ms)}, p90 ${formatMs(latency.p90Ms)}, p95 ${formatMs(latency.p95Ms)}, p99 ${formatMs(latency.p99Ms)}, max ${formatMs(latency.maxMs)}`,
        ]
      : []),
    `  error budget     ${countOf(budget.allowed, "version")} may miss it, ${budget.used} did, ${budget.left} left`,
    ...(objective.skewed > 0
      ? [
          `  clock skew       ${countOf(objective.skewed, "version")} with a latency below 0, down to ${objective.skewMs} ms`,
        ]
      : []),
  ]
}

function formatVaults({ vaults, otherVaults, query }: AuditReport): string[] {
  const rows = vaults.map(({ vault, protectedUpTo, records, openGapCount, publicOnlyCount, objective }) => [
    vault,
    protectedUpTo ?? "-",
    String(records),
    String(openGapCount),
    String(publicOnlyCount),
    String(objective.measured),
    objective.percentileMs === null ? "-" : formatMs(objective.percentileMs),
    String(objective.breaches),
  ])
  const p = `p${query.objective.percentile}`
  const head = ["Vault", "protected up to", "stored", "gaps", "public only", "measured", p, "late"]
  return [
    ...formatTable(head, rows),
    ...otherVaults.map(
      ({ vault, records, gaps }) =>
        `Not asked about: ${vault}, ${countOf(records, "record")}, ${countOf(gaps, "gap")}`,
    ),
  ]
}

function formatStages({ groups, vaults }: AuditReport, scope: "all" | "vault"): string[] {
  if (scope === "vault" && vaults.length < 2) return []
  const rows = groups.filter((group) => (scope === "all" ? group.vault === null : isShownOfVault(group)))
  if (rows.length === 0) return []
  const head = ["Stage", "n", "below 0", "min", "p50", "p90", "p95", "p99", "max"]
  const first = scope === "all" ? ["Origin"] : ["Vault", "Origin"]
  const table = formatTable(
    [...first, ...head],
    rows.map((group) => [
      ...(scope === "all" ? [] : [group.vault ?? ""]),
      originOf(group),
      ...cellsOf(group),
    ]),
  )
  const isUpstream = rows.some(({ stage }) => stage === stages[1])
  return [
    ...table,
    ...(scope === "all" && isUpstream
      ? [
          "changeToEvent and eventToQueue are upstream (vault, Event Grid); queueToPut is this product's part.",
        ]
      : []),
    ...(rows.some(({ isP99Meaningful }) => !isP99Meaningful)
      ? ["* fewer than 100 values: the p99 is the maximum and means nothing by itself."]
      : []),
  ]
}

/** Of each vault only what tells upstream from ours: with many vaults all stages would be hundreds of lines. */
function isShownOfVault({ vault, deferred, stage }: AuditGroup): boolean {
  return (
    vault !== null && deferred === null && /^(eventToQueue|queueToPut|eventToPut|changeToPut)$/.test(stage)
  )
}

function originOf({ origin, deferred }: AuditGroup): string {
  if (deferred === null) return origin
  return deferred ? `${origin}, deferred` : `${origin}, at once`
}

function cellsOf(group: AuditGroup): string[] {
  const { stage, count, negative, minMs, p50Ms, p90Ms, p95Ms, p99Ms, maxMs, isP99Meaningful } = group
  const values = [minMs, p50Ms, p90Ms, p95Ms].map(formatMs)
  return [
    stage,
    String(count),
    String(negative),
    ...values,
    `${formatMs(p99Ms)}${isP99Meaningful ? "" : "*"}`,
    formatMs(maxMs),
  ]
}

function formatWorst({ worst }: AuditReport): string[] {
  if (worst.length === 0) return []
  const rows = worst
    .slice(0, mostListed)
    .map(({ latencyMs, stages: of, times, attempt, isBreach, id }) => [
      formatMs(latencyMs),
      isBreach ? "late" : "in time",
      ...[of.eventToQueue, of.queueToPut].map((ms) => (ms === null ? "-" : formatMs(ms))),
      String(attempt),
      times.witnessedAt,
      id,
    ])
  return formatTable(["Worst", "", "event to queue", "queue to put", "attempt", "witnessed", "version"], rows)
}

function formatGaps({ vaults }: AuditReport): string[] {
  const gaps = vaults.flatMap(({ openGaps }) => openGaps)
  const count = vaults.reduce((sum, { openGapCount }) => sum + openGapCount, 0)
  if (count === 0) return []
  const rows = gaps
    .toSorted((one, other) => (one.since < other.since ? -1 : Number(one.since > other.since)))
    .slice(0, mostListed)
    .map(({ since, reason, code = "-", id }) => [since, reason, code, id])
  return [
    ...formatTable(["Not protected since", "reason", "code", "version"], rows),
    ...(count > rows.length ? [`and ${count - rows.length} more: --format csv has all`] : []),
  ]
}

function formatQueues({ queues, canary, query }: AuditReport): string[] {
  const age = (at: string) => formatSpan(Math.max(0, Date.parse(query.until) - Date.parse(at)))
  return [
    ...(queues
      ? [
          `Queues: ${queues.waiting} waiting, ${queues.deferred} deferred, ${queues.deadLettered} dead letters, ${queues.quarantined} in quarantine${queues.oldestAt ? `, the oldest here for ${age(queues.oldestAt)}` : ""}`,
        ]
      : []),
    ...(canary
      ? [
          `Canary: ${canary.ageMs === null ? "never came through" : `${formatSpan(canary.ageMs)} old`}${canary.isOverdue ? ", OVERDUE" : ""}`,
        ]
      : []),
  ]
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
}
