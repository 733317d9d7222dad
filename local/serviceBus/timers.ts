/** A timer that has not fired yet. Cancelling one that has fired does nothing. */
export interface PendingTimer {
  cancel(): void
}

/** The clock of a queue, and what is to happen later. Tests bring their own. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `action` once at `atMs`, or as soon as possible when that has passed; never within this call. */
  at(atMs: number, action: () => void): PendingTimer
}

/** The longest delay `setTimeout` takes; a longer one would fire at once. */
const maxDelayMs = 2_147_483_647

/** The system clock. Its timers do not keep the process alive. */
export const systemTimers: Timers = {
  now: Date.now,
  at: (atMs, action) => {
    let timer: NodeJS.Timeout
    const arm = () => {
      const restMs = Math.max(0, atMs - Date.now())
      timer = restMs > maxDelayMs ? setTimeout(arm, maxDelayMs) : setTimeout(action, restMs)
      timer.unref()
    }
    arm()
    return { cancel: () => clearTimeout(timer) }
  },
}
