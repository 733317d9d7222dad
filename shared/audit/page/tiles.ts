import type { AuditReport } from "../auditReport.ts"
import { type Content, h } from "./element.ts"
import { formatAge, formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { levelIcon } from "./icon.ts"
import { relativeTime } from "./relativeTime.ts"
import { counted, type Level } from "./verdict.ts"

interface Tile {
  readonly label: string
  readonly value: string
  readonly level: Level
  readonly notes: readonly Content[]
}

/** The figures that answer most questions, each with a word on what it means. */
export function renderTiles(report: AuditReport): HTMLElement[] {
  const read = (tile: Tile) => (report.complete || tile.level !== "good" ? tile : asFarAsRead(tile))
  return [
    ...[objectiveTile(report), budgetTile(report), gapTile(report)].map(read),
    ...queueTiles(report),
    read(canaryTile(report)),
  ].map(({ label, value, level, notes }) =>
    h(
      "li",
      { class: `tile level-${level}`, "data-key": label },
      h("h3", { class: "tile-label" }, level !== "good" && levelIcon(level), label),
      h("p", { class: "tile-value figure" }, value),
      ...notes.map((note) => h("p", { class: "tile-note" }, note)),
    ),
  )
}

/** A figure of a part of the store is never a clean one. */
function asFarAsRead(tile: Tile): Tile {
  return { ...tile, level: "unknown", notes: ["As far as it was read", ...tile.notes] }
}

/** `p99`, or `p99.9`. */
export function percentileName(percentile: number): string {
  return `p${percentile}`
}

function objectiveTile({ objective, query }: AuditReport): Tile {
  const { population, measured, unmeasured, isMeaningful, met, percentileMs, skewed, skewMs } = objective
  const name = percentileName(query.objective.percentile)
  const verdict = met === null ? "cannot be judged" : met ? "met" : "missed"
  return {
    label: `${name} from event to backup`,
    value:
      percentileMs === null ? (population === 0 ? "none" : "not protected") : formatDuration(percentileMs),
    level: met === null ? "unknown" : met ? "good" : "bad",
    notes: [
      `Objective ${formatDuration(query.objective.limitMs)}: ${verdict}`,
      measured === population
        ? `n = ${measured.toLocaleString("en-US")}`
        : `n = ${measured.toLocaleString("en-US")} measured of ${population.toLocaleString("en-US")}`,
      !isMeaningful && percentileMs !== null && `Too few for a ${name}: this is the maximum.`,
      unmeasured > 0 && `${counted(unmeasured, "has", "have")} no known lateness.`,
      skewed > 0 &&
        skewMs !== null &&
        `Clocks disagree: ${counted(skewed, "value", "values")} below 0, the least ${formatDuration(skewMs)}.`,
    ].filter((note) => note !== false),
  }
}

function budgetTile({ objective: { budget, breaches, unprotected } }: AuditReport): Tile {
  return {
    label: "Late, of what the objective allows",
    value: `${budget.used.toLocaleString("en-US")} of ${budget.allowed.toLocaleString("en-US")}`,
    level: budget.left < 0 ? "bad" : "good",
    notes: [
      `${breaches.toLocaleString("en-US")} stored late, ${unprotected.toLocaleString("en-US")} not stored`,
      budget.left < 0 && `Overdrawn by ${(-budget.left).toLocaleString("en-US")}`,
    ].filter((note) => note !== false),
  }
}

function gapTile({ vaults }: AuditReport): Tile {
  const gaps = vaults.reduce((total, { openGapCount }) => total + openGapCount, 0)
  const oldest = vaults.flatMap(({ openGaps }) => openGaps.map(({ since }) => since)).sort()[0]
  const publicOnly = vaults.reduce((total, { publicOnlyCount }) => total + publicOnlyCount, 0)
  return {
    label: "Open gaps",
    value: gaps.toLocaleString("en-US"),
    level: gaps > 0 ? "bad" : publicOnly > 0 ? "warn" : "good",
    notes: [
      oldest === undefined
        ? "No version is known and not stored"
        : `The oldest since ${formatSecond(oldest)} UTC`,
      publicOnly > 0 && `${counted(publicOnly, "certificate", "certificates")} with the public part only`,
    ].filter((note) => note !== false),
  }
}

function queueTiles({ queues, query }: AuditReport): Tile[] {
  if (!queues) {
    if (query.isClosed) return []
    const notes = ["The queues could not be read"]
    return [
      { label: "On the way", value: "unknown", level: "unknown", notes },
      { label: "Dead letters and quarantine", value: "unknown", level: "unknown", notes },
    ]
  }
  const { waiting, deferred, deadLettered, quarantined, oldestAt, complete } = queues
  const atLeast = complete ? "" : "at least "
  return [
    {
      label: "On the way",
      value: `${atLeast}${(waiting + deferred).toLocaleString("en-US")}`,
      level: deferred > 0 ? "warn" : complete ? "good" : "unknown",
      notes: [
        `${waiting.toLocaleString("en-US")} waiting, ${deferred.toLocaleString("en-US")} deferred`,
        oldestAt !== undefined && [`The oldest since ${formatSecond(oldestAt)} UTC`, relativeTime(oldestAt)],
      ].filter((note) => note !== false),
    },
    {
      label: "Dead letters and quarantine",
      value: `${atLeast}${(deadLettered + quarantined).toLocaleString("en-US")}`,
      level: deadLettered + quarantined > 0 ? "bad" : complete ? "good" : "unknown",
      notes: [
        `${deadLettered.toLocaleString("en-US")} dead letters, ${quarantined.toLocaleString("en-US")} in quarantine`,
      ],
    },
  ]
}

function canaryTile({ canary }: AuditReport): Tile {
  const label = "Canary"
  if (!canary) {
    const note = "Without one, a silent vault and a broken way look alike"
    return { label, value: "not set up", level: "unknown", notes: [note] }
  }
  const { lastChangedAt, ageMs, lastLatencyMs, isOverdue } = canary
  if (lastChangedAt === null) {
    return { label, value: "none", level: "warn", notes: ["No canary has ever arrived"] }
  }
  return {
    label,
    value: ageMs === null ? "arrived" : `${formatAge(ageMs)} old`,
    level: isOverdue ? "warn" : "good",
    notes: [
      isOverdue && "Overdue: changes may not get through",
      [`Set ${formatSecond(lastChangedAt)} UTC`, relativeTime(lastChangedAt)],
      lastLatencyMs !== null && `It took ${formatDuration(lastLatencyMs)}`,
    ].filter((note) => note !== false),
  }
}
