import type { AuditReport } from "./auditReport.ts"

/** What a person has to look at, in the order reports name it. */
export const attentions = [
  "gap",
  "public-only",
  "objective",
  "waiting",
  "dead-letter",
  "quarantine",
  "canary",
] as const

export type Attention = (typeof attentions)[number]

/** Everything in the report that needs attention. A version that was late needs none while the budget has room. */
export function findAttention(report: Omit<AuditReport, "attention">): Attention[] {
  const { objective, vaults, queues, canary, query } = report
  const lateMs = new Date(query.until).getTime() - query.objective.limitMs
  const found: Readonly<Record<Attention, boolean>> = {
    gap: objective.unprotected > 0,
    "public-only": vaults.some(({ publicOnlyCount }) => publicOnlyCount > 0),
    objective: objective.met === false,
    // A change that waits longer than the limit is late already, though the store cannot show it yet.
    waiting: vaults.some(
      ({ protectedUpTo, notProtectedAfter, openGapCount }) =>
        openGapCount === 0 && isBefore(notProtectedAfter ?? protectedUpTo, lateMs),
    ),
    "dead-letter": (queues?.deadLettered ?? 0) > 0,
    quarantine: (queues?.quarantined ?? 0) > 0,
    canary: canary?.isOverdue === true,
  }
  return attentions.filter((name) => found[name])
}

function isBefore(time: string | undefined, limitMs: number): boolean {
  return time !== undefined && time !== "unknown" && new Date(time).getTime() < limitMs
}
