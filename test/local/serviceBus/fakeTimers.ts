import type { Timers } from "../../../local/serviceBus/timers.ts"

export interface FakeTimers extends Timers {
  /** Lets `ms` pass, firing what falls due in order. */
  pass(ms: number): void
  /** Timers that have not fired. */
  readonly pending: number
}

/** A clock that stands still until it is told to go on. */
export function fakeTimers(startMs = 1_000_000): FakeTimers {
  let nowMs = startMs
  const waiting = new Set<{ readonly atMs: number; readonly action: () => void }>()
  return {
    now: () => nowMs,
    at: (atMs, action) => {
      const timer = { atMs, action }
      waiting.add(timer)
      return { cancel: () => waiting.delete(timer) }
    },
    pass: (ms) => {
      const endMs = nowMs + ms
      for (;;) {
        const [due] = [...waiting].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
        if (due === undefined) break
        nowMs = Math.max(nowMs, due.atMs)
        waiting.delete(due)
        due.action()
      }
      nowMs = endMs
    },
    get pending() {
      return waiting.size
    },
  }
}
