import { VaultError } from "./vaultError.ts"

export interface ThrottleLimit {
  readonly transactions: number
  readonly windowMs: number
  /** Sent as Retry-After; absent, a refusal has no such header. */
  readonly retryAfterSeconds?: number
}

/**
 * What the service allows a vault: 4,000 transactions in 10 seconds.
 *
 * Source: https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
export const vaultLimit: ThrottleLimit = { transactions: 4000, windowMs: 10_000 }

const slots = 10

/**
 * Counts transactions over a window that slides by a tenth of its length. The function returned counts one,
 * or refuses it; refusals do not count.
 *
 * @throws VaultError 429 Throttled.
 */
export function createThrottle(limit: ThrottleLimit, clock: () => number = Date.now): () => void {
  const slotMs = limit.windowMs / slots
  const counts = Array.from({ length: slots }, () => 0)
  let total = 0
  let latest = Math.floor(clock() / slotMs)
  return () => {
    const current = Math.floor(clock() / slotMs)
    for (let slot = Math.max(latest + 1, current - slots + 1); slot <= current; slot += 1) {
      total -= counts[slot % slots] ?? 0
      counts[slot % slots] = 0
    }
    latest = Math.max(latest, current)
    if (total >= limit.transactions) throw throttled(limit)
    counts[latest % slots] = (counts[latest % slots] ?? 0) + 1
    total += 1
  }
}

function throttled({ retryAfterSeconds }: ThrottleLimit): VaultError {
  const message =
    "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }
  return new VaultError(429, "Throttled", message, { headers })
}
