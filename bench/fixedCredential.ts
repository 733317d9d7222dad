import type { TokenCredential } from "@azure/core-auth"

/** Hands out one token of the bench's own authority, so that no scenario pays for an identity endpoint. */
export function fixedCredential(token: string): TokenCredential {
  const expiresOnTimestamp = Date.now() + 24 * 3_600_000
  return { getToken: async () => ({ token, expiresOnTimestamp }) }
}
