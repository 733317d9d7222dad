import type { TokenCredential } from "@azure/core-auth"
import { ServiceError } from "../errors.ts"

/**
 * A credential that gets tokens of one audience and of no other, whatever a vault's challenge asks for.
 *
 * @param audience - such as `https://vault.azure.cn`.
 * @returns a credential whose `getToken` throws ServiceError ERR_VAULT_CHALLENGE for another audience, and then
 * asks nobody.
 */
export function restrictAudience(credential: TokenCredential, audience: string): TokenCredential {
  const scope = `${audience}/.default`
  return {
    getToken: async (scopes, options) => {
      const asked = typeof scopes === "string" ? [scopes] : scopes
      if (asked.length === 1 && asked[0]?.replace(/\/+\.default$/, "/.default").toLowerCase() === scope) {
        return credential.getToken(scope, options)
      }
      throw new ServiceError(
        "ERR_VAULT_CHALLENGE",
        `The vault asks for a token of another audience than BACKUP_VAULT_AUDIENCE, ${audience}`,
        { details: { audience } },
      )
    },
  }
}
