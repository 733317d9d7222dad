/** The claims of an access token that are no secret. The token itself is kept nowhere. */
export interface TokenClaims {
  readonly audience?: string
  readonly tenantId?: string
  readonly objectId?: string
  readonly clientId?: string
  readonly issuedAt?: Date
  readonly expiresAt?: Date
}

/**
 * Reads claims that are no secret from a token and forgets the rest. Checks no signature.
 *
 * @returns undefined for text that is no JWT.
 */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const [, payload, signature] = token.split(".")
  if (payload === undefined || signature === undefined) return undefined
  let claims: Readonly<Record<string, unknown>>
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"))
    if (typeof parsed !== "object" || parsed === null) return undefined
    claims = parsed as Record<string, unknown>
  } catch {
    return undefined
  }
  const word = (name: string) => {
    const value = claims[name]
    return typeof value === "string" && /^[\w.:/-]{1,200}$/.test(value) ? value : undefined
  }
  const time = (name: string) => {
    const value = claims[name]
    return typeof value === "number" && Math.abs(value) < 8e12 ? new Date(value * 1000) : undefined
  }
  return defined({
    audience: word("aud"),
    tenantId: word("tid"),
    objectId: word("oid"),
    clientId: word("appid") ?? word("azp"),
    issuedAt: time("iat"),
    expiresAt: time("exp"),
  })
}

function defined(claims: {
  readonly [Name in keyof TokenClaims]: TokenClaims[Name] | undefined
}): TokenClaims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)) as TokenClaims
}
