const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/** How long an event is kept and how often it is tried, unless the subscription says otherwise. */
export const defaultTimeToLiveMs = 24 * hourMs
export const defaultMaxAttempts = 30

/** How long the relay waits for the endpoint's answer before the attempt counts as timed out. */
export const answerTimeoutMs = 30 * secondMs

/** An answer that comes later than `answerTimeoutMs`, but within this, still ends the retries. */
export const lateAnswerMs = 3 * minuteMs

/** Between the last attempt and the dead-letter write. */
export const deadLetterWaitMs = 5 * minuteMs

/** After this long without its target a dead letter is dropped. */
export const deadLetterPatienceMs = 4 * hourMs

const backOffMs = [
  10 * secondMs,
  30 * secondMs,
  minuteMs,
  5 * minuteMs,
  10 * minuteMs,
  30 * minuteMs,
  hourMs,
  3 * hourMs,
  6 * hourMs,
] as const
const longestBackOffMs = 12 * hourMs

/**
 * The wait before the next attempt, after `failedAttempts` (1 or more) of them: 10 s, 30 s, 1 min, 5 min, 10 min,
 * 30 min, 1 h, 3 h, 6 h, then 12 h each. The small jitter of the service is left out, so that runs compare.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry
 */
export function retryDelayMs(failedAttempts: number): number {
  return backOffMs[failedAttempts - 1] ?? longestBackOffMs
}
