import { ServiceError } from "../errors.ts"
import type { BackupStore } from "./backupStore.ts"

/**
 * A store that writes only after it has seen that its container has an immutability policy. The first answer
 * that shows one is remembered; anything else is asked again at the next write.
 *
 * Whether the policy is locked, and for how long, the data plane does not tell.
 *
 * @returns the store, whose every method also throws ERR_STORE_NOT_IMMUTABLE, and `check`, which asks without writing.
 */
export function requireImmutability(
  store: BackupStore,
  container: string,
): BackupStore & { readonly check: (options?: { readonly signal?: AbortSignal }) => Promise<void> } {
  let confirmed = false
  const check = async (options?: { readonly signal?: AbortSignal }) => {
    if (confirmed) return
    const { hasImmutabilityPolicy } = await store.describeProtection(options)
    if (!hasImmutabilityPolicy) {
      throw new ServiceError(
        "ERR_STORE_NOT_IMMUTABLE",
        "The container has no time-based retention policy; in production nothing is written without one",
        { details: { container } },
      )
    }
    confirmed = true
  }
  return {
    check,
    describeProtection: (options) => store.describeProtection(options),
    putIfAbsent: async (...parameters) => {
      await check()
      return store.putIfAbsent(...parameters)
    },
  }
}
