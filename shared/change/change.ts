import type { ObjectVersion } from "./objectVersion.ts"

/** Every origin there is, in the order reports show them. */
export const origins = ["live", "replay", "reconcile", "restore", "canary"] as const

/** Where a change came from. Being deferred is told by the attempt, not by the origin. */
export type Origin = (typeof origins)[number]

/** What is kept of an event as evidence. Texts are trimmed and otherwise exactly as sent. */
export interface ChangeEvidence {
  readonly id?: string
  readonly type?: string
  /** With every digit the publisher wrote: Event Grid sends seven after the point. */
  readonly time?: string
  /** The topic of an Event Grid event, the source of a CloudEvent. */
  readonly topic?: string
}

/** One notice that one object version came into being. */
export interface Change {
  readonly object: ObjectVersion
  readonly origin: Origin
  /** Absent where no event stands behind the change, as in reconciliation. */
  readonly event?: ChangeEvidence
}
