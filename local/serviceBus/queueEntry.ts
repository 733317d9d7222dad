import type { LockToken } from "./lockToken.ts"
import type { StoredMessage } from "./storedMessage.ts"
import type { PendingTimer } from "./timers.ts"

/** What a queue is set up to do. Durations are milliseconds. */
export interface QueueSettings {
  readonly name: string
  readonly lockDurationMs: number
  /** Deliveries after which a message is dead-lettered. */
  readonly maxDeliveryCount: number
  /** Caps the time to live of every message; absent, messages without one live for ever. */
  readonly defaultTtlMs?: number
  /** How long a message id is remembered; absent, duplicates are not looked for. */
  readonly duplicateWindowMs?: number
  readonly requiresSession?: boolean
  /** Whether a message whose time has passed is dead-lettered (true, the default here) or dropped. */
  readonly deadLetterOnExpiry?: boolean
}

/** How many messages of one queue are in which state. `active` waits for a receiver, `locked` is with one. */
export interface QueueCounts {
  readonly active: number
  readonly locked: number
  readonly scheduled: number
  readonly deferred: number
  readonly deadLettered: number
}

/** One lock on one entry. */
export interface EntryLock {
  readonly token: LockToken
  untilMs: number
  timer: PendingTimer
}

/** One message in a queue. Times are milliseconds since 1970. */
export interface QueueEntry {
  sequence: number
  message: StoredMessage
  enqueuedAtMs: number
  state: "active" | "deferred" | "scheduled"
  /** Deliveries that ended without settlement. */
  deliveryCount: number
  lock?: EntryLock
  /** For a dead letter: the queue it comes from, and its sequence number there. */
  readonly source?: string
  readonly originalSequence?: number
}

/** An entry that is with a receiver. */
export type LockedEntry = QueueEntry & { lock: EntryLock }
