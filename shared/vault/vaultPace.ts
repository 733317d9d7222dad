import type { Clock } from "../clock.ts"
import { type ErrorCode, type ServiceError, toServiceError } from "../errors.ts"
import type { VaultLimiter } from "./vaultLimiter.ts"
import type { Pace } from "./vaultPager.ts"

export interface BackgroundPaceOptions {
  readonly limiter: VaultLimiter
  readonly clock: Clock
  /** No pause lasts beyond this. */
  readonly until?: Date
}

/**
 * How often a call is tried whose fault passes by itself. A vault counts over ten seconds, and often names no pause: of
 * throttling more is to be hoped than of an outage.
 */
const triesOf: Partial<Record<ErrorCode, number>> = { ERR_VAULT_THROTTLED: 8, ERR_VAULT_UNAVAILABLE: 4 }

const firstDelayMs = 500
const longestDelayMs = 16_000
/** Nobody waits for a background call, but a pause that is longer than this is another run's. */
const longestPauseMs = 60_000

/**
 * A pace for what has time: each call when no live call waits for the vault, and again, after the pause that the vault
 * asks for, when it was throttled or not answered.
 *
 * A call rejects as it did last, or as the limiter does.
 */
export function createBackgroundPace({ limiter, clock, until }: BackgroundPaceOptions): Pace {
  return async (host, call) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await limiter.run(host, call, "background")
      } catch (thrown) {
        const error = toServiceError(thrown)
        const delayMs = delayOf(error, attempt)
        if (attempt >= (triesOf[error.code] ?? 1) || delayMs > longestPauseMs) throw error
        if (until && clock.now().getTime() + delayMs > until.getTime()) throw error
        await clock.sleep(delayMs)
      }
    }
  }
}

function delayOf({ retryAfterMs }: ServiceError, attempt: number): number {
  return Math.max(Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs), retryAfterMs ?? 0)
}
