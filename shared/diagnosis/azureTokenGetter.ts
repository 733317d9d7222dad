import type { TokenCredential } from "@azure/core-auth"
import type { TokenAnswer, TokenGetter, TokenProblem } from "./caller.ts"

/**
 * Gets tokens from a credential of the identity library.
 *
 * @param clientId - the identity that is asked for; absent, the system-assigned one.
 */
export function createTokenGetter(credential: TokenCredential, clientId: string | undefined): TokenGetter {
  return {
    get: async (audience, { signal } = {}) => {
      try {
        const token = await credential.getToken(
          `${audience}/.default`,
          signal ? { abortSignal: signal } : undefined,
        )
        return token ? { token: token.token } : { problem: "refused", says: "no token was given" }
      } catch (error) {
        return explain(error, clientId)
      }
    },
  }
}

function explain(error: unknown, clientId: string | undefined): TokenAnswer {
  const message = error instanceof Error ? error.message : ""
  const problem = problemOf(message, clientId)
  const says: Readonly<Record<TokenProblem, string>> = {
    noIdentity: "the identity endpoint has no system-assigned identity, and no client id was named",
    unknownIdentity: `the identity endpoint knows no identity of client id ${clientId}`,
    unreachable: "the identity endpoint did not answer, or there is none here",
    refused: "the identity endpoint refused",
  }
  return { problem, says: says[problem] }
}

/** Wordings of the App Service endpoint, of IMDS (`Identity not found`) and of the identity library. */
function problemOf(message: string, clientId: string | undefined): TokenProblem {
  if (/identity not found|no (user assigned|managed identity)|no system-assigned identity/i.test(message)) {
    return clientId === undefined ? "noIdentity" : "unknownIdentity"
  }
  const isAbsent =
    /no token came|unavailable|not available|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|could not be sent|aborted/i
  return isAbsent.test(message) ? "unreachable" : "refused"
}
