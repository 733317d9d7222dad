import type { Clock } from "../clock.ts"

/** Spreads messages over time. */
export interface RateCap {
  /** How many messages one batch should have, so that it waits for seconds, not minutes. */
  readonly batchSize: number
  /** Waits until `count` more may be sent; rejects with the signal's reason when it aborts. */
  wait(count: number, options?: { readonly signal?: AbortSignal }): Promise<void>
}

const defaultBatchSize = 100
const batchSeconds = 10

/** At most `perSecond` messages a second on average; the first batch goes at once. */
export function createRateCap(perSecond: number, clock: Clock, maxBatchSize = defaultBatchSize): RateCap {
  let freeAtMs = 0
  return {
    batchSize: Math.max(1, Math.min(maxBatchSize, Math.floor(perSecond * batchSeconds))),
    wait: async (count, options) => {
      const nowMs = clock.now().getTime()
      const startMs = Math.max(nowMs, freeAtMs)
      freeAtMs = startMs + (count * 1000) / perSecond
      if (startMs > nowMs) await clock.sleep(startMs - nowMs, options)
    },
  }
}
