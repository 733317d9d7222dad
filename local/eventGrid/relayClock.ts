/** Takes a planned call back; nothing happens when it has been made already. */
export type Cancel = () => void

/**
 * The relay's time. Waits of the retry schedule run at `speed`; stamps in events, and waits for other servers,
 * are in the time everybody else lives in.
 */
export interface RelayClock {
  /** Wall time. */
  now(): Date
  /** Milliseconds since the clock was made, counted at the speed of each moment. */
  elapsedMs(): number
  /** Calls `run` once, after `delayMs` at the speed of each moment. */
  schedule(delayMs: number, run: () => void): Cancel
  /** Calls `run` once, after `delayMs` of wall time. */
  scheduleUnscaled(delayMs: number, run: () => void): Cancel
}

export interface AdjustableRelayClock extends RelayClock {
  readonly speed: number
  /**
   * From here on `speed` seconds pass in one; waits that are under way end sooner or later accordingly.
   *
   * @throws TypeError unless `speed` is a finite number above 0.
   */
  setSpeed(speed: number): void
}

interface Wait {
  readonly dueMs: number
  readonly run: () => void
  timer: NodeJS.Timeout | undefined
}

// What setTimeout can take; a longer wait is taken in steps.
const longestTimerMs = 2_147_483_647

export function createRelayClock(initialSpeed = 1): AdjustableRelayClock {
  const waits = new Set<Wait>()
  let speed = 1
  let atMs = 0
  let since = performance.now()
  const elapsedMs = () => atMs + (performance.now() - since) * speed
  const arm = (wait: Wait) => {
    clearTimeout(wait.timer)
    const restMs = Math.max(0, (wait.dueMs - elapsedMs()) / speed)
    wait.timer = setTimeout(
      () => {
        // A timer may fire a fraction of a millisecond early; at high speed that is a visible wait.
        if (elapsedMs() < wait.dueMs) return arm(wait)
        waits.delete(wait)
        wait.run()
      },
      Math.min(Math.ceil(restMs), longestTimerMs),
    )
  }
  const setSpeed = (next: number) => {
    if (!Number.isFinite(next) || next <= 0) throw new TypeError("The speed is a number above 0")
    atMs = elapsedMs()
    since = performance.now()
    speed = next
    for (const wait of waits) arm(wait)
  }
  setSpeed(initialSpeed)

  return {
    now: () => new Date(),
    elapsedMs,
    schedule: (delayMs, run) => {
      const wait: Wait = { dueMs: elapsedMs() + delayMs, run, timer: undefined }
      waits.add(wait)
      arm(wait)
      return () => {
        clearTimeout(wait.timer)
        waits.delete(wait)
      }
    },
    scheduleUnscaled: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
    get speed() {
      return speed
    },
    setSpeed,
  }
}
