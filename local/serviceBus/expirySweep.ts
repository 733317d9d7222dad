import type { QueueEntry } from "./queueEntry.ts"
import type { StoredMessage } from "./storedMessage.ts"
import type { PendingTimer, Timers } from "./timers.ts"

/** A sweep walks over the whole queue, so one does not follow another sooner than this. */
const pauseMs = 100

/**
 * When the message's time to live ends, milliseconds since 1970; Infinity for never. Time to live does not hold in
 * a dead-letter queue (service-bus-dead-letter-queues.md).
 */
export function expiresAtMs({ message, enqueuedAtMs, source }: QueueEntry): number {
  return source === undefined && message.ttlMs !== undefined
    ? enqueuedAtMs + message.ttlMs
    : Number.POSITIVE_INFINITY
}

/** The message with a time to live of at most `capMs`; undefined changes nothing. */
export function withTtlCap(message: StoredMessage, capMs: number | undefined): StoredMessage {
  if (capMs === undefined || (message.ttlMs !== undefined && message.ttlMs <= capMs)) return message
  return { ...message, ttlMs: capMs }
}

/** Sees to it that expired messages are looked for when the first of them expires, with one timer a queue. */
export class ExpirySweep {
  readonly #timers: Timers
  readonly #sweep: () => number
  #next: { atMs: number; timer: PendingTimer } | undefined

  /** @param sweep - deals with what has expired; returns when the next message expires, or Infinity. */
  constructor(timers: Timers, sweep: () => number) {
    this.#timers = timers
    this.#sweep = sweep
  }

  /** Makes sure of a sweep at `atMs`; Infinity asks for none. */
  watch(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY || (this.#next && this.#next.atMs <= atMs)) return
    this.stop()
    this.#next = { atMs, timer: this.#timers.at(atMs, () => this.#run()) }
  }

  stop(): void {
    this.#next?.timer.cancel()
    this.#next = undefined
  }

  #run(): void {
    this.#next = undefined
    this.watch(Math.max(this.#sweep(), this.#timers.now() + pauseMs))
  }
}
