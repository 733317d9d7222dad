import { describeError, type ErrorCode } from "../errors.ts"
import type { HopEvidence } from "./evidence.ts"

/** Why a hop does not do; `late` and `busy` leave the question open. */
export type Cause =
  | "dnsNone"
  | "dnsPublic"
  | "dnsMixed"
  | "publicPath"
  | "tcp"
  | "tlsName"
  | "tlsChain"
  | "tlsTime"
  | "tlsHandshake"
  | "audience"
  | "tenant"
  | "clock"
  | "authentication"
  | "firewall"
  | "role"
  | "accessPolicy"
  | "notFound"
  | "sessions"
  | "proxy"
  | "busy"
  | "late"
  | "unclear"

/** What the settings say that decides about evidence. */
export interface Expectation {
  /** The network reaches its services from an admitted subnet, so public addresses are as they should be. */
  readonly serviceEndpoints: boolean
  /** BACKUP_VAULT_AUDIENCE. */
  readonly vaultAudience?: string
  /** Is the vault's challenge compared with its host? */
  readonly challengeCheck: boolean
}

/** Beyond this a token is not valid yet, or not any more, on one of the two sides. */
const clockToleranceMs = 300_000

/** The first thing that is wrong; undefined where nothing is. `blocked`: there was no token to go on with. */
export function findCause(evidence: HopEvidence, expected: Expectation): Cause | "blocked" | undefined {
  const { names, connection, token } = evidence
  if (names?.kind === "none") return "dnsNone"
  if (names?.kind === "mixed") return "dnsMixed"
  const isPublic = names?.kind === "public" && !expected.serviceEndpoints
  const network = connectionCause(evidence)
  // Where the name leads to the public side, a closed door there is no news.
  if (network === "tcp" && isPublic) return "dnsPublic"
  if (network !== undefined) return network
  if (connection === undefined || names === undefined) return "late"
  const asked = audienceCause(evidence, expected)
  if (asked !== undefined) return asked
  if (token === undefined) return "late"
  // Whether there is an identity at all is told of the identity; that it gets no token for this service, here.
  if (token.problem !== undefined) return token.problem === "refused" ? "authentication" : "blocked"
  const refused = callCause(evidence)
  if (refused === "firewall" && isPublic) return "dnsPublic"
  if (refused !== undefined) return refused
  return isPublic ? "publicPath" : undefined
}

function connectionCause({ connection }: HopEvidence): Cause | undefined {
  if (connection === undefined) return undefined
  if ("problem" in connection.tcp) return "tcp"
  switch (connection.tls?.problem) {
    case "name":
      return "tlsName"
    case "chain":
      return "tlsChain"
    case "time":
      return "tlsTime"
    case "handshake":
      return "tlsHandshake"
    case undefined:
      return undefined
  }
}

function audienceCause({ hop, challenge }: HopEvidence, expected: Expectation): Cause | undefined {
  if (hop.kind !== "vault" && hop.kind !== "digestKey") return undefined
  const resource = challenge?.resource
  if (resource === undefined) return undefined
  const { vaultAudience } = expected
  if (vaultAudience !== undefined) return same(resource, vaultAudience) ? undefined : "audience"
  if (!expected.challengeCheck) return undefined
  const [, suffix = ""] = resource.split("https://")
  return `.${hop.host}`.endsWith(`.${suffix.replace(/\/+$/, "").toLowerCase()}`) ? undefined : "audience"
}

function same(a: string, b: string): boolean {
  const plain = (text: string) => text.replace(/\/+$/, "").toLowerCase()
  return plain(a) === plain(b)
}

/** By weight: a refused network hides everything, a refused token the roles. */
const weights: readonly Cause[] = [
  "firewall",
  "clock",
  "tenant",
  "audience",
  "authentication",
  "proxy",
  "notFound",
  "accessPolicy",
  "role",
  "sessions",
  "busy",
  "late",
  "unclear",
]

function callCause(evidence: HopEvidence): Cause | undefined {
  const causes = [
    ...evidence.calls.map(({ answer }) => httpCause(evidence, answer)),
    ...evidence.queueCalls.map(({ answer }) =>
      answer.needsSessions === true
        ? "sessions"
        : answer.error === undefined
          ? undefined
          : ofCode(answer.error),
    ),
  ]
  const found = weights.find((cause) => causes.includes(cause))
  if (found !== undefined) return found
  return evidence.isLate === true || causes.length === 0 ? "late" : undefined
}

function httpCause(
  { challenge, token, clockDifferenceMs }: HopEvidence,
  { status, code, innerCode, error }: HopEvidence["calls"][number]["answer"],
): Cause | undefined {
  if (error === undefined) return undefined
  const isToken = status === 401 || code === "AuthenticationFailed" || code === "InvalidAuthenticationInfo"
  if (isToken) {
    if (Math.abs(clockDifferenceMs ?? 0) > clockToleranceMs) return "clock"
    const tenantId = token?.claims?.tenantId
    if (challenge?.tenantId !== undefined && tenantId !== undefined && challenge.tenantId !== tenantId) {
      return "tenant"
    }
    const audience = token?.claims?.audience
    if (token !== undefined && audience !== undefined && !same(audience, token.audience)) return "audience"
    return "authentication"
  }
  if (/^(AccessDenied|ForbiddenByPolicy)$/.test(innerCode)) return "accessPolicy"
  return ofCode(error)
}

function ofCode(code: ErrorCode): Cause {
  if (code.endsWith("_FIREWALL")) return "firewall"
  if (code.endsWith("_FORBIDDEN")) return "role"
  if (code.endsWith("_NOT_FOUND")) return "notFound"
  if (code === "ERR_VAULT_RESPONSE_INVALID") return "proxy"
  if (code === "ERR_IDENTITY_UNAVAILABLE") return "authentication"
  if (/_(UNAVAILABLE|THROTTLED)$/.test(code)) return "busy"
  return describeError(code).exitCode === 23 ? "authentication" : "unclear"
}
