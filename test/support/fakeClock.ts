import type { Clock } from "../../shared/clock.ts"

/** A clock that stands still but for its sleepers. */
export interface FakeClock extends Clock {
  advance(ms: number): void
  /** How long each sleep was. */
  readonly sleeps: readonly number[]
}

/** A clock at `start`; `sleep` returns at once and moves it on. */
export function fakeClock(start = "2026-03-01T10:00:05.000Z"): FakeClock {
  let nowMs = Date.parse(start)
  const sleeps: number[] = []
  return {
    sleeps,
    now: () => new Date(nowMs),
    advance: (ms) => {
      nowMs += ms
    },
    sleep: async (ms, { signal } = {}) => {
      signal?.throwIfAborted()
      sleeps.push(ms)
      nowMs += ms
    },
  }
}
