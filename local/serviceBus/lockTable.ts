import { type LockToken, newLockToken } from "./lockToken.ts"
import type { LockedEntry, QueueEntry } from "./queueEntry.ts"
import type { PendingTimer, Timers } from "./timers.ts"

/** The locks of one queue. A lock is held by its token alone: losing the connection does not end it. */
export class LockTable {
  readonly #durationMs: number
  readonly #timers: Timers
  readonly #onRanOut: (entry: LockedEntry) => void
  readonly #locks = new Map<LockToken, LockedEntry>()

  /** @param onRanOut - called when a lock's time is over, after it is gone from the table and the entry. */
  constructor(durationMs: number, timers: Timers, onRanOut: (entry: QueueEntry) => void) {
    this.#durationMs = durationMs
    this.#timers = timers
    this.#onRanOut = onRanOut
  }

  get(token: LockToken): LockedEntry | undefined {
    return this.#locks.get(token)
  }

  lock(entry: QueueEntry): LockedEntry {
    const token = newLockToken()
    entry.lock = { token, ...this.#newLease(token) }
    const locked = entry as LockedEntry
    this.#locks.set(token, locked)
    return locked
  }

  /** Starts the duration again; undefined when the lock is lost, else when it ends. */
  renew(token: LockToken): number | undefined {
    const lock = this.#locks.get(token)?.lock
    if (lock === undefined) return undefined
    lock.timer.cancel()
    Object.assign(lock, this.#newLease(token))
    return lock.untilMs
  }

  /** Ends the entry's lock; does nothing when it has none. */
  unlock(entry: QueueEntry): void {
    if (entry.lock === undefined) return
    entry.lock.timer.cancel()
    this.#locks.delete(entry.lock.token)
    delete entry.lock
  }

  stop(): void {
    for (const { lock } of this.#locks.values()) lock.timer.cancel()
  }

  #newLease(token: LockToken): { untilMs: number; timer: PendingTimer } {
    const untilMs = this.#timers.now() + this.#durationMs
    return { untilMs, timer: this.#timers.at(untilMs, () => this.#runOut(token)) }
  }

  #runOut(token: LockToken): void {
    const entry = this.#locks.get(token)
    if (entry === undefined) return
    this.unlock(entry)
    this.#onRanOut(entry)
  }
}
