import { audiences, type TokenAuthority, type TokenProblem } from "../access/tokenAuthority.ts"
import { VaultError } from "./vaultError.ts"

const messages: Readonly<Record<TokenProblem, string>> = {
  missing: "AKV10000: Request is missing a Bearer or PoP token.",
  malformed: "AKV10000: Request is missing a well-formed Bearer token.",
  signature: "AKV10046: Unable to resolve the key used for signature validation.",
  audience: `AKV10022: Invalid audience. Expected ${audiences.vault}.`,
  expired: "AKV10063: The token has expired.",
}

/** The bearer token of an Authorization header; undefined when there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : undefined
}

/**
 * The challenge that starts authentication: clients send their first request without token and body, and ask
 * the authority named here for a token for the resource named here.
 *
 * Source: https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
 */
export function unauthorized({ tenantId }: TokenAuthority, problem: TokenProblem): VaultError {
  return new VaultError(401, "Unauthorized", messages[problem], { headers: challengeHeaders(tenantId) })
}

export function challengeHeaders(tenantId: string): Readonly<Record<string, string>> {
  const authority = `https://login.microsoftonline.com/${tenantId}`
  return { "www-authenticate": `Bearer authorization="${authority}", resource="${audiences.vault}"` }
}
