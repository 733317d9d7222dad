import { parseLineage } from "../queue/messageLineage.ts"
import type { PeekedMessage } from "../queue/queueInspector.ts"
import { shortCause } from "../deadLetter/classify.ts"

/** Messages that are not backed up for one reason. */
export interface CauseStatus {
  /** The last error code; where there is none, the broker's reason. */
  readonly cause: string
  readonly count: number
  /** When the first of their changes entered the queue. */
  readonly oldest?: Date
  /** When the next one is tried again. */
  readonly next?: Date
}

/** The messages by cause, the most frequent first. */
export function countCauses(messages: readonly PeekedMessage[]): readonly CauseStatus[] {
  const causes = new Map<string, CauseStatus>()
  for (const { properties, deadLetterReason, enqueuedAt, scheduledAt, state } of messages) {
    const lineage = parseLineage(properties)
    const cause = shortCause(lineage.lastCode ?? deadLetterReason ?? "unknown")
    const known = causes.get(cause)
    const oldest = earlier(known?.oldest, lineage.firstEnqueuedAt ?? enqueuedAt)
    const next = earlier(known?.next, state === "scheduled" ? scheduledAt : undefined)
    causes.set(cause, {
      cause,
      count: (known?.count ?? 0) + 1,
      ...(oldest ? { oldest } : {}),
      ...(next ? { next } : {}),
    })
  }
  return [...causes.values()].sort((a, b) => b.count - a.count || a.cause.localeCompare(b.cause))
}

/** The earlier of two times of which either may be missing. */
export function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  return one && (!other || one <= other) ? one : other
}
