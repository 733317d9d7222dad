import type { Clock } from "../clock.ts"
import { type ErrorCode, toServiceError } from "../errors.ts"

const attempts = 5
const firstDelayMs = 1000
const longestDelayMs = 60_000

const passing: ReadonlySet<ErrorCode> = new Set([
  "ERR_VAULT_THROTTLED",
  "ERR_VAULT_UNAVAILABLE",
  "ERR_STORE_UNAVAILABLE",
] satisfies ErrorCode[])

/**
 * Does `work` again, up to five times in all, when it failed for a cause that may pass: after 1, 2, 4 and 8 seconds, or
 * as long as the service asked for, at most a minute. `work` must be safe to repeat.
 *
 * @throws whatever `work` throws the last time, or at once for another cause.
 */
export async function retryPassing<T>(
  work: () => Promise<T>,
  clock: Clock,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      const { code, retryAfterMs = 0 } = toServiceError(thrown)
      if (attempt >= attempts || !passing.has(code) || signal?.aborted) throw thrown
      const delayMs = Math.min(Math.max(firstDelayMs * 2 ** (attempt - 1), retryAfterMs), longestDelayMs)
      await clock.sleep(delayMs, signal ? { signal } : {})
    }
  }
}
