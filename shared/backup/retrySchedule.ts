/** When a deferred change comes back. All in milliseconds. */
export interface RetrySettings {
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** After this long in one deferral the message goes to quarantine. */
  readonly maxAgeMs: number
}

/**
 * Delay before the next attempt: the first delay doubled for each failed attempt before, at most the longest
 * delay, give or take 20 %, and never below what the service asked for.
 *
 * @param failedAttempts - attempts that failed before this one; 0 for the first failure.
 * @param random - a number from 0 to 1.
 */
export function nextRetryDelayMs(
  failedAttempts: number,
  { firstDelayMs, maxDelayMs }: RetrySettings,
  random: number,
  retryAfterMs = 0,
): number {
  const doubled = firstDelayMs * 2 ** Math.min(failedAttempts, 40)
  const jittered = Math.min(doubled, maxDelayMs) * (0.8 + 0.4 * random)
  return Math.max(Math.round(jittered), retryAfterMs)
}
