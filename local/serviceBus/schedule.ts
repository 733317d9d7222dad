import type { PendingTimer, Timers } from "./timers.ts"

/** The scheduled messages of one queue, by sequence number. */
export class Schedule {
  readonly #timers: Timers
  readonly #pending = new Map<number, PendingTimer>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Calls `activate` at `atMs` unless the number is cancelled before. */
  add(sequence: number, atMs: number, activate: () => void): void {
    const run = () => {
      this.#pending.delete(sequence)
      activate()
    }
    this.#pending.set(sequence, this.#timers.at(atMs, run))
  }

  /** Does nothing when the number is not scheduled. */
  cancel(sequence: number): void {
    this.#pending.get(sequence)?.cancel()
    this.#pending.delete(sequence)
  }

  stop(): void {
    for (const timer of this.#pending.values()) timer.cancel()
  }
}
