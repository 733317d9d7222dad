import { randomBytes, randomUUID } from "node:crypto"
import { errors, jwtVerify, SignJWT } from "jose"
import { type Job, jobs } from "./job.ts"

/** What a token may be for: the resource a client names when it asks for one. */
export const audiences = {
  vault: "https://vault.azure.net",
  blob: "https://storage.azure.com",
  serviceBus: "https://servicebus.azure.net",
  arm: "https://management.azure.com",
  monitor: "https://monitor.azure.com",
} as const

export type Audience = keyof typeof audiences

/** The identity behind a valid token. */
export interface Caller {
  readonly job: Job
  readonly clientId: string
  readonly objectId: string
  readonly tenantId: string
}

export type TokenProblem = "missing" | "malformed" | "signature" | "audience" | "expired"

/** Either who calls, or what is wrong with the token. */
export type TokenVerdict = { readonly caller: Caller } | { readonly problem: TokenProblem }

/** Issues and checks the tokens of one local cloud; a cloud accepts its own tokens only. */
export interface TokenAuthority {
  readonly tenantId: string
  readonly callers: ReadonlyMap<Job, Caller>
  /** A token of `job` for `audience`, valid for as long as this authority lives. Safe to call again. */
  issue(job: Job, audience: Audience): Promise<string>
  /** Whose token this is, for a server that takes tokens for `audience`. Never throws. */
  check(token: string | undefined, audience: Audience): Promise<TokenVerdict>
}

/** State that lets a restarted cloud go on accepting the tokens it gave out. */
export interface TokenAuthorityState {
  readonly secret: string
  readonly tenantId: string
  readonly ids: Readonly<Record<string, { readonly clientId: string; readonly objectId: string }>>
}

/** Makes the state of a new authority: a signing secret and fresh ids for every job. */
export function newTokenAuthorityState(): TokenAuthorityState {
  const ids = Object.fromEntries(
    jobs.map((job) => [job, { clientId: randomUUID(), objectId: randomUUID() }] as const),
  )
  return { secret: randomBytes(32).toString("base64url"), tenantId: randomUUID(), ids }
}

/** Opens an authority on `state`; two authorities on one state accept each other's tokens. */
export function openTokenAuthority(state: TokenAuthorityState): TokenAuthority {
  const key = Buffer.from(state.secret, "base64url")
  const issuer = `https://sts.windows.net/${state.tenantId}/`
  const callers = new Map<Job, Caller>()
  for (const job of jobs) {
    const ids = state.ids[job] ?? { clientId: randomUUID(), objectId: randomUUID() }
    callers.set(job, { job, ...ids, tenantId: state.tenantId })
  }
  const known = new Map<string, Caller>()

  async function verify(token: string, audience: Audience): Promise<TokenVerdict> {
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer,
        audience: [audiences[audience], `${audiences[audience]}/`],
      })
      const caller = [...callers.values()].find(({ clientId }) => clientId === payload["appid"])
      if (!caller) return { problem: "signature" }
      known.set(`${audience} ${token}`, caller)
      return { caller }
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { problem: "expired" }
      if (error instanceof errors.JWSSignatureVerificationFailed) return { problem: "signature" }
      if (error instanceof errors.JWTClaimValidationFailed) return { problem: "audience" }
      return { problem: "malformed" }
    }
  }

  return {
    tenantId: state.tenantId,
    callers,
    issue: async (job, audience) => {
      const caller = callers.get(job)
      if (!caller) throw new TypeError(`No such job: ${job}`)
      return new SignJWT({ appid: caller.clientId, oid: caller.objectId, tid: caller.tenantId, ver: "1.0" })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuer(issuer)
        .setAudience(audiences[audience])
        .setSubject(caller.objectId)
        .setIssuedAt()
        .setNotBefore("-5m")
        .setExpirationTime("3650d")
        .sign(key)
    },
    check: async (token, audience) => {
      if (!token) return { problem: "missing" }
      const caller = known.get(`${audience} ${token}`)
      return caller ? { caller } : verify(token, audience)
    },
  }
}
