import type { Clock } from "../clock.ts"
import { type ErrorCode, type ServiceError, toServiceError } from "../errors.ts"
import type { VaultLimiter } from "./vaultLimiter.ts"
import type { Pace } from "./vaultPager.ts"

export interface BackgroundPaceOptions {
  readonly limiter: VaultLimiter
  readonly clock: Clock
  /** How often one call is tried. Default 4. */
  readonly tries?: number
}

/** Faults of a vault that pass by themselves, so that the same call is worth another try. */
const passing: ReadonlySet<ErrorCode> = new Set(["ERR_VAULT_THROTTLED", "ERR_VAULT_UNAVAILABLE"])

const firstDelayMs = 500
/** Nobody waits for a background call, but a pause that is longer than this is another run's. */
const longestPauseMs = 60_000

/**
 * A pace for what has time: each call when no live call waits for the vault, and again, after the pause that the vault
 * asks for, when it was throttled or not answered.
 *
 * A call rejects as it did last, or as the limiter does.
 */
export function createBackgroundPace({ limiter, clock, tries = 4 }: BackgroundPaceOptions): Pace {
  return async (host, call) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await limiter.run(host, call, "background")
      } catch (thrown) {
        const error = toServiceError(thrown)
        const delayMs = delayOf(error, attempt)
        if (!passing.has(error.code) || attempt >= tries || delayMs > longestPauseMs) throw error
        await clock.sleep(delayMs)
      }
    }
  }
}

function delayOf({ retryAfterMs }: ServiceError, attempt: number): number {
  return Math.max(firstDelayMs * 2 ** (attempt - 1), retryAfterMs ?? 0)
}
