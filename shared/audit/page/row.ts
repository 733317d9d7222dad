import type { AuditOpenGap, AuditReport, AuditStory } from "../auditReport.ts"

/** How one version stands against the objective. */
export type RowState = "within" | "late" | "gap"

/** One version that the report tells of by name: stored, or an open gap. */
export interface Row {
  /** The version URL: the same after an update, and in the address of its story. */
  readonly key: string
  readonly name: string
  readonly version: string
  readonly kind: "secret" | "certificate"
  readonly vault: string
  /** `gap` for a version that is not stored. */
  readonly origin: AuditStory["origin"] | "gap"
  readonly state: RowState
  /** When it was stored; of a gap, when that was recorded. */
  readonly at: Date
  /** From its event to its put; of a gap, how long it has been open. Below 0 where clocks disagree. */
  readonly latencyMs: number
  readonly story?: AuditStory
  readonly gap?: AuditOpenGap
}

/** Every version that the report names, the slowest first: open gaps, then stored ones. */
export function rowsOf(report: AuditReport): readonly Row[] {
  const untilMs = Date.parse(report.query.until)
  const gaps = report.vaults
    .flatMap(({ openGaps }) => openGaps)
    .map((gap): Row => {
      const latencyMs = Math.max(0, untilMs - Date.parse(gap.since))
      const at = new Date(gap.witnessedAt)
      return { ...nameOf(gap.id), vault: gap.vault, origin: "gap", state: "gap", at, latencyMs, gap }
    })
    .sort((a, b) => b.latencyMs - a.latencyMs)
  const stories = report.worst.map((story): Row => ({
    ...nameOf(story.id),
    vault: story.vault,
    origin: story.origin,
    state: story.isBreach ? "late" : "within",
    at: new Date(story.times.putAt),
    latencyMs: story.latencyMs,
    story,
  }))
  return [...gaps, ...stories]
}

/** Words for a state; a person who sees no colours has nothing else. */
export const stateWords: Readonly<Record<RowState, string>> = {
  within: "within the objective",
  late: "late",
  gap: "not protected",
}

/** `payments.vault.azure.net` of `https://payments.vault.azure.net`. */
export function hostOf(vault: string): string {
  return vault.replace(/^https:\/\//, "")
}

/** A long name with its middle left out. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`
}

function nameOf(id: string): Pick<Row, "key" | "name" | "version" | "kind"> {
  const [collection = "", name = "", version = ""] = id.split("/").slice(3)
  return { key: id, name, version, kind: collection === "certificates" ? "certificate" : "secret" }
}
