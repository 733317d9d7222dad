import { setTimeout as delay } from "node:timers/promises"

/** Time as the product sees it, so that tests can hold it still. */
export interface Clock {
  now(): Date
  /** Waits `ms` milliseconds; rejects with the signal's reason when it aborts. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, { signal } = {}) => {
    await delay(ms, undefined, signal ? { signal } : {})
  },
}
