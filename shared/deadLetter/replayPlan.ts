// A replay plan, format keyvault-replay-plan/1: docs/formats.md.
import { createHash } from "node:crypto"
import { formatVersionUrl } from "../change/objectVersion.ts"
import type { ClassifiedLetter } from "./classify.ts"
import type { DeadLetter, SourceName } from "./deadLetter.ts"
import type { ReplayAction, ReplayDecision } from "./decide.ts"
import { addSums, emptySum, type MemberSum, MemberSumBuilder } from "./memberSum.ts"
import type { ReplayFilter } from "./replayFilter.ts"

export const planFormat = "keyvault-replay-plan/1"

/** Dead letters of one source with one cause, with which the same is to be done. */
export interface PlanGroup {
  readonly source: SourceName
  readonly cause: string
  readonly action: ReplayAction
  readonly why: string
  readonly count: number
  /** Identifies the members: see `MemberSum`. */
  readonly sum: string
  readonly oldest?: Date
  readonly newest?: Date
  /** One of them. */
  readonly sample: PlanSample
}

export interface PlanSample {
  readonly place: string
  readonly id: string
  readonly messageId?: string
  /** Version URLs. */
  readonly objects: readonly string[]
}

export interface ReplayPlan {
  readonly format: typeof planFormat
  /** sha256 of what the plan would do to which messages: two plans about the same have the same digest. */
  readonly digest: string
  readonly madeAt: Date
  readonly filter: ReplayFilter
  /** By source, then the largest first. */
  readonly groups: readonly PlanGroup[]
}

/** How many messages the plan does something with. */
export function countOf(plan: ReplayPlan, action?: ReplayAction): number {
  return plan.groups
    .filter((group) => (action === undefined ? group.action !== "leave" : group.action === action))
    .reduce((sum, { count }) => sum + count, 0)
}

interface OpenGroup {
  readonly first: Pick<PlanGroup, "source" | "cause" | "action" | "why" | "sample">
  readonly members: MemberSumBuilder
  oldest?: Date
  newest?: Date
}

/** Collects a plan letter by letter; keeps groups, not letters. */
export class PlanBuilder {
  readonly #groups = new Map<string, OpenGroup>()

  /** @param hash - of the letter's key. Each letter once. */
  add(
    letter: DeadLetter,
    { cause, changes }: ClassifiedLetter,
    decision: ReplayDecision,
    hash: bigint,
  ): void {
    const { source, place, id, messageId, at } = letter
    const { action, why } = decision
    const key = JSON.stringify([source, cause, action, why])
    let group = this.#groups.get(key)
    if (!group) {
      const objects = changes.slice(0, 3).map(({ object }) => formatVersionUrl(object))
      const sample = { place, id, ...(messageId === undefined ? {} : { messageId }), objects }
      group = { first: { source, cause, action, why, sample }, members: new MemberSumBuilder() }
      this.#groups.set(key, group)
    }
    group.members.add(hash)
    if (at && (!group.oldest || at < group.oldest)) group.oldest = at
    if (at && (!group.newest || at > group.newest)) group.newest = at
  }

  build(filter: ReplayFilter, madeAt: Date): ReplayPlan {
    const groups = [...this.#groups.values()]
      .map(({ first, members, oldest, newest }) => ({
        ...first,
        ...members.build(),
        ...(oldest ? { oldest } : {}),
        ...(newest ? { newest } : {}),
      }))
      .sort(
        (a, b) =>
          a.source.localeCompare(b.source) ||
          b.count - a.count ||
          a.cause.localeCompare(b.cause) ||
          a.why.localeCompare(b.why),
      )
    return { format: planFormat, digest: planDigest(filter, groups), madeAt, filter, groups }
  }
}

/** The digest of a plan with this filter and these groups, as 64 hex digits. Neither order nor samples nor times matter. */
export function planDigest(filter: ReplayFilter, groups: readonly PlanGroup[]): string {
  const { from, reasons = [], vault = null, object = null, before = null, attempts = null } = filter
  const rows = groups
    .map(({ source, cause, action, why, count, sum }) =>
      JSON.stringify([source, cause, action, why, count, sum]),
    )
    .sort()
  const canonical = JSON.stringify([
    planFormat,
    [from.toSorted(), reasons.toSorted(), vault, object, before, attempts],
    rows,
  ])
  return createHash("sha256").update(canonical).digest("hex")
}

/** One way in which a set is not the one that was planned. */
export interface PlanDifference {
  readonly source: SourceName
  readonly cause: string
  readonly planned: number
  /** What is there, together with what was done already. */
  readonly found: number
}

/** What was done of a plan already, by `differenceKey`. */
export type DoneSums = ReadonlyMap<string, MemberSum>

/**
 * To send and to remove count as one: a version that was stored in the meantime is no reason to stop, and neither is a
 * removal that a crash left over.
 */
export function differenceKey(source: SourceName, cause: string, action: ReplayAction): string {
  return JSON.stringify([source, cause, action === "remove" ? "send" : action])
}

/** Where `found` (with what was done) is not `planned`; empty when nothing changed but by the plan's own doing. */
export function comparePlans(
  planned: ReplayPlan,
  found: ReplayPlan,
  done: DoneSums = new Map(),
): PlanDifference[] {
  const before = sumsOf(planned)
  const after = new Map(done)
  for (const [key, sum] of sumsOf(found)) after.set(key, addSums(after.get(key) ?? emptySum, sum))
  const differences: PlanDifference[] = []
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const one = before.get(key) ?? emptySum
    const other = after.get(key) ?? emptySum
    if (one.count === other.count && one.sum === other.sum) continue
    const [source, cause] = JSON.parse(key) as [SourceName, string]
    differences.push({ source, cause, planned: one.count, found: other.count })
  }
  return differences
}

function sumsOf({ groups }: ReplayPlan): Map<string, MemberSum> {
  const sums = new Map<string, MemberSum>()
  for (const { source, cause, action, count, sum } of groups) {
    // Nothing is done with these, and what a run moves to quarantine joins them.
    if (action === "leave") continue
    const key = differenceKey(source, cause, action)
    sums.set(key, addSums(sums.get(key) ?? emptySum, { count, sum }))
  }
  return sums
}
