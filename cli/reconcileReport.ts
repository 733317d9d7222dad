import { formatVersionUrl } from "../shared/change/objectVersion.ts"
import type { Gap, GapAction, GapCause } from "../shared/reconcile/gap.ts"
import { countGaps } from "../shared/reconcile/reconcileRecord.ts"
import type { Incompleteness, VaultReconciliation } from "../shared/reconcile/reconcileVault.ts"

/** The gaps of one vault, of which only so many are kept. */
export interface GapList {
  add(gap: Gap): void
  readonly kept: readonly Gap[]
  /** How many were not kept. */
  readonly more: number
}

/** One vault of a report. */
export interface ReconciledVault {
  readonly result: VaultReconciliation
  /** Found by this run; those of the run that it goes on from are in the counts alone. */
  readonly gaps: GapList
}

const keptGaps = 10_000
const shownGaps = 200

/** An empty list. */
export function createGapList(limit = keptGaps): GapList {
  const kept: Gap[] = []
  let more = 0
  return {
    kept,
    get more() {
      return more
    },
    add: (gap) => {
      if (kept.length < limit) kept.push(gap)
      else more += 1
    },
  }
}

/** One vault in the document of `--json`. */
export function toDocument({ result, gaps }: ReconciledVault): object {
  const { vault, startedAt, endedAt, incomplete, counts, untold, run, continues } = result
  return {
    vault,
    complete: incomplete === undefined,
    ...(incomplete ? { incomplete: explained(incomplete) } : {}),
    startedAt,
    endedAt,
    ...(run === undefined ? {} : { run }),
    ...(continues === undefined ? {} : { continues }),
    counts,
    gaps: gaps.kept.map(({ object, cause, action, created }) => ({
      id: formatVersionUrl(object),
      reason: cause,
      action,
      ...(created ? { created } : {}),
    })),
    moreGaps: gaps.more,
    untold,
  }
}

function explained(incomplete: Incompleteness): object {
  if (incomplete.reason !== "error") return { reason: incomplete.reason, message: sentenceOf(incomplete) }
  const { code, details, hint } = incomplete.error
  return { reason: "error", code, message: sentenceOf(incomplete), details, try: hint }
}

const wording: Readonly<Record<GapCause, string>> = {
  missing: "MISSING",
  disabled: "DISABLED",
  "value-absent": "NO VALUE",
  gone: "GONE BEFORE",
  lost: "LOST",
}

function actionText({ cause, action }: Gap, executed: boolean): string {
  const texts: Record<GapAction, string> = {
    send: executed ? "sent" : "to be sent",
    record: executed ? "gap record written" : "gap record to be written",
    none: cause === "lost" ? "the vault has it no more" : "cannot be read",
  }
  const since = cause === "disabled" && action === "send" ? "enabled since, " : ""
  return `${since}${texts[action]}`
}

/** The report for people: a vault each, with its gaps a line each, then what it means. */
export function formatReconciliation(reconciled: readonly ReconciledVault[], executed: boolean): string {
  const lines = reconciled.flatMap((one) => formatVault(one, executed))
  const isAnythingToDo = reconciled.some(({ gaps }) => gaps.kept.some(({ action }) => action !== "none"))
  if (!executed && isAnythingToDo)
    lines.push("Nothing was written. To send them: kvbackup reconcile --execute")
  if (reconciled.length === 0) lines.push("Nothing was compared.")
  return `${lines.join("\n")}\n`
}

function formatVault({ result, gaps }: ReconciledVault, executed: boolean): string[] {
  const { vault, counts, incomplete, untold, continues, run } = result
  const shown = gaps.kept.slice(0, shownGaps)
  const hidden = gaps.kept.length - shown.length + gaps.more
  const count = countGaps(counts)
  return [
    `Vault ${vault}`,
    ...(continues === undefined ? [] : [`  goes on from run ${continues}`]),
    ...shown.map(
      (gap) =>
        `  ${wording[gap.cause].padEnd(11)} ${formatVersionUrl(gap.object)} (${actionText(gap, executed)})`,
    ),
    ...(hidden > 0 ? [`  and ${hidden} more; --json lists the first 10,000`] : []),
    ...untold.map(({ name, code }) => `  NOT LISTED  ${name} (${code})`),
    `  ${counts.versions} versions listed: ${counts.stored} stored${
      counts.excluded > 0 ? `, ${counts.excluded} excluded by BACKUP_EXCLUDE` : ""
    }, ${count} ${count === 1 ? "gap" : "gaps"}${
      executed ? `; ${counts.sent} changes sent, ${counts.recorded} gap records written` : ""
    }`,
    ...(incomplete ? formatIncomplete(incomplete) : []),
    ...(run === undefined ? [] : [`  run ${run}`]),
  ]
}

function formatIncomplete(incomplete: Incompleteness): string[] {
  return [
    `  INCOMPLETE  ${sentenceOf(incomplete)}`,
    ...(incomplete.reason === "error" ? [`  Try:        ${incomplete.error.hint}`] : []),
  ]
}

function sentenceOf(incomplete: Incompleteness): string {
  switch (incomplete.reason) {
    case "empty":
      return "The vault listed no secret, which proves nothing: it may be empty, or hide what it has."
    case "untold":
      return "Some names were not listed, so nothing is proved of them."
    case "budget":
      return "The time or the calls of this run are used up; the next one goes on from here."
    case "interrupted":
      return "Interrupted. Nothing is lost: the next run with --execute goes on from here."
    case "error":
      return incomplete.error.message
  }
}
