import { setImmediate as turn } from "node:timers/promises"
import type { RelayClock } from "../../../local/eventGrid/relayClock.ts"

export interface FakeRelayClock extends RelayClock {
  /** Lets `ms` pass, running what falls due in order, and waits until its consequences have settled. */
  advance(ms: number): Promise<void>
  /** Waits that are still planned. */
  planned(): number
}

/** A clock that stands still unless it is advanced; wall time and relay time pass together. */
export function createFakeRelayClock(startIso = "2026-02-03T04:05:06.789Z"): FakeRelayClock {
  const start = new Date(startIso).getTime()
  const waits = new Set<{ dueMs: number; run: () => void }>()
  let nowMs = 0
  const schedule = (delayMs: number, run: () => void) => {
    const wait = { dueMs: nowMs + delayMs, run }
    waits.add(wait)
    return () => {
      waits.delete(wait)
    }
  }
  const settle = async () => {
    for (let n = 0; n < 5; n += 1) await turn()
  }
  return {
    now: () => new Date(start + nowMs),
    elapsedMs: () => nowMs,
    schedule,
    scheduleUnscaled: schedule,
    planned: () => waits.size,
    advance: async (ms) => {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const next = [...waits].sort((a, b) => a.dueMs - b.dueMs)[0]
        if (!next || next.dueMs > endMs) break
        waits.delete(next)
        nowMs = next.dueMs
        next.run()
        await settle()
      }
      nowMs = endMs
    },
  }
}
