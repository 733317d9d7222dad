import type { IncomingMessage } from "node:http"
import { audiences, type Caller, type TokenAuthority, type TokenProblem } from "../access/tokenAuthority.ts"
import type { StorageErrorAnswer } from "./storageErrors.ts"

const details: Record<Exclude<TokenProblem, "missing" | "malformed">, string> = {
  signature: "Signature validation failed.",
  audience: "Audience validation failed. Audience did not match.",
  expired: "Lifetime validation failed. The token is expired.",
}

/**
 * Who sent the request, or the answer that refuses it. Only bearer tokens count: shared keys and shared access
 * signatures are refused as by an account that forbids them.
 */
export async function authenticate(
  request: IncomingMessage,
  authority: TokenAuthority,
): Promise<{ readonly caller: Caller } | { readonly refusal: StorageErrorAnswer }> {
  const challenge = {
    "www-authenticate": `Bearer authorization_uri=https://login.microsoftonline.com/${authority.tenantId}/oauth2/authorize resource_id=${audiences.blob}`,
  }
  const header = request.headers.authorization
  if (header === undefined) {
    const isSigned = new URLSearchParams(request.url?.split("?")[1] ?? "").has("sig")
    if (isSigned) return { refusal: { code: "KeyBasedAuthenticationNotPermitted" } }
    return { refusal: { code: "NoAuthenticationInformation", headers: challenge } }
  }
  if (/^SharedKey(Lite)? /i.test(header)) return { refusal: { code: "KeyBasedAuthenticationNotPermitted" } }
  const [scheme, token] = header.split(" ", 2)
  const verdict =
    scheme?.toLowerCase() === "bearer"
      ? await authority.check(token, "blob")
      : ({ problem: "malformed" } as const)
  if ("caller" in verdict) return verdict
  if (verdict.problem === "missing" || verdict.problem === "malformed") {
    return { refusal: { code: "InvalidAuthenticationInfo", headers: challenge } }
  }
  return { refusal: { code: "AuthenticationFailed", authenticationDetail: details[verdict.problem] } }
}
