import { type ErrorCode, ServiceError } from "./errors.ts"

/** Ids that go with the error: object, blob, queue. Never a value. */
export type ErrorDetails = Readonly<Record<string, string | number>>

/**
 * Response header under which the Key Vault clients' pipeline keeps the inner code of a refusal: the error that a
 * failing page of a listing throws has lost its body.
 */
export const innerCodeHeader = "x-kvb-inner-code"

interface ServiceAnswer {
  readonly name: string
  readonly status: number | undefined
  readonly code: string
  readonly innerCode: string
  readonly message: string
  readonly retryAfterMs: number | undefined
}

/**
 * An error of the Key Vault clients as ours. Inner codes: facts from captured answers; see `docs/errors.md`.
 * The service's message is not carried over, since it names callers and addresses.
 */
export function fromVaultError(thrown: unknown, details: ErrorDetails): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  const answer = readAnswer(thrown)
  return make(vaultCode(answer), "Key Vault", answer, details, thrown)
}

function vaultCode({ name, status, code, innerCode, message }: ServiceAnswer): ErrorCode {
  if (isIdentityError(name)) return "ERR_IDENTITY_UNAVAILABLE"
  if (code === "PARSE_ERROR") return "ERR_VAULT_RESPONSE_INVALID"
  // The client's own check of the resource that a challenge names.
  if (status === undefined && message.startsWith("The challenge ")) return "ERR_VAULT_CHALLENGE"
  if (status === undefined) return isNetworkCode(code) ? "ERR_VAULT_UNAVAILABLE" : "ERR_UNKNOWN"
  if (status === 403 && /^(Secret|Certificate|Key)Disabled$/.test(innerCode))
    return "ERR_VAULT_VERSION_DISABLED"
  if (status === 403 && isVaultFirewall(innerCode, message)) return "ERR_VAULT_FIREWALL"
  if (status === 403 || status === 401) return "ERR_VAULT_FORBIDDEN"
  if (status === 404) {
    // Only these words are the vault's; whatever else answers 404 stands between, and must not make a gap.
    return /^(Secret|Certificate|Key)NotFound$/.test(code)
      ? "ERR_VAULT_VERSION_ABSENT"
      : "ERR_VAULT_RESPONSE_INVALID"
  }
  if (status === 429) return "ERR_VAULT_THROTTLED"
  if (status >= 500 || status === 408) return "ERR_VAULT_UNAVAILABLE"
  // A vault redirects nobody: whoever does stands between.
  if (status < 400) return "ERR_VAULT_RESPONSE_INVALID"
  return "ERR_UNKNOWN"
}

function isVaultFirewall(innerCode: string, message: string): boolean {
  if (/^ForbiddenBy(Firewall|Connection)$/.test(innerCode)) return true
  return innerCode === "" && /not from a trusted service|client address/i.test(message)
}

/** Why a vault refused a new version with 409; `undefined` when it answered anything else. */
export function nameConflictOf(thrown: unknown): "deleted" | "taken" | undefined {
  const { status, code, innerCode } = readAnswer(thrown)
  if (status !== 409) return undefined
  return /^ObjectIs(DeletedButRecoverable|BeingDeleted)$/.test(innerCode || code) ? "deleted" : "taken"
}

/**
 * An error of the Blob client as ours. Storage gives AuthorizationFailure for a blocked network path and
 * AuthorizationPermissionMismatch for a missing role (Microsoft's 403 troubleshooting page, 2026-07).
 */
export function fromStoreError(thrown: unknown, details: ErrorDetails): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  const answer = readAnswer(thrown)
  return make(storeCode(answer), "Blob storage", answer, details, thrown)
}

function storeCode({ name, status, code }: ServiceAnswer): ErrorCode {
  if (isIdentityError(name)) return "ERR_IDENTITY_UNAVAILABLE"
  if (status === undefined) return isNetworkCode(code) ? "ERR_STORE_UNAVAILABLE" : "ERR_UNKNOWN"
  if (status === 403 && code === "AuthorizationFailure") return "ERR_STORE_FIREWALL"
  if (status === 403 || status === 401) return "ERR_STORE_FORBIDDEN"
  if (status === 404) return "ERR_STORE_NOT_FOUND"
  if (status === 429 || status >= 500 || status === 408) return "ERR_STORE_UNAVAILABLE"
  return "ERR_UNKNOWN"
}

/** Does the answer mean that the name was taken? Which of these codes comes first is not documented. */
export function isAlreadyThere(thrown: unknown): boolean {
  const { status, code } = readAnswer(thrown)
  // A policy and a legal hold protect what is there; they refuse nothing that is new.
  if (status === 409) return /^Blob(AlreadyExists|ImmutableDueTo(Policy|LegalHold))$/.test(code)
  return status === 412 || (status === 403 && code === "UnauthorizedBlobOverwrite")
}

/**
 * An error of the Service Bus client as ours. Role and network refusals share one code; the network one says
 * that the address has been prevented to connect.
 */
export function fromQueueError(thrown: unknown, details: ErrorDetails): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  const last = lastAttemptOf(thrown)
  const answer = readAnswer(last)
  return make(queueCode(answer), "Service Bus", answer, details, last)
}

/** After several attempts the client throws their errors in one, which says nothing itself. */
function lastAttemptOf(thrown: unknown): unknown {
  return thrown instanceof AggregateError && !("code" in thrown) ? (thrown.errors.at(-1) ?? thrown) : thrown
}

function queueCode({ name, code, message }: ServiceAnswer): ErrorCode {
  if (isIdentityError(name)) return "ERR_IDENTITY_UNAVAILABLE"
  if (/prevented to connect/i.test(message)) return "ERR_QUEUE_FIREWALL"
  if (code === "UnauthorizedAccess" || code === "UnauthorizedError") return "ERR_QUEUE_FORBIDDEN"
  if (code === "MessagingEntityNotFound") return "ERR_QUEUE_NOT_FOUND"
  if (code === "MessageLockLost") return "ERR_QUEUE_LOCK_LOST"
  // The AMQP library puts a socket's error code in front of its message, under a code that says nothing.
  const socketCode = /^(E[A-Z_]+): /.exec(message)?.[1] ?? ""
  const passing = ["ServiceBusy", "ServiceTimeout", "ServiceCommunicationProblem", "MessagingEntityDisabled"]
  const isPassing = passing.includes(code) || isNetworkCode(code) || isNetworkCode(socketCode)
  return isPassing ? "ERR_QUEUE_UNAVAILABLE" : "ERR_UNKNOWN"
}

function isIdentityError(name: string): boolean {
  return ["CredentialUnavailableError", "AuthenticationError", "AuthenticationRequiredError"].includes(name)
}

function isNetworkCode(code: string): boolean {
  return (
    code === "REQUEST_SEND_ERROR" ||
    code.startsWith("UND_ERR_") ||
    /^E(AI_AGAIN|NOTFOUND|CONNREFUSED|CONNRESET|CONNABORTED|HOSTUNREACH|NETUNREACH|TIMEDOUT|PIPE)$/.test(
      code,
    ) ||
    /^(UNABLE_TO|CERT_|ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO)/.test(code)
  )
}

function make(
  code: ErrorCode,
  service: string,
  { name, status, code: theirs, innerCode, retryAfterMs }: ServiceAnswer,
  details: ErrorDetails,
  cause: unknown,
): ServiceError {
  const said = [status, theirs, innerCode].filter((part) => part !== undefined && part !== "").join(" ")
  // An error about an answer holds its body, which may be the secret, or the page of a proxy: only the outline is kept.
  const isAboutAnswer = status !== undefined
  return new ServiceError(code, `${service} answered ${said || name}`, {
    details,
    cause: isAboutAnswer ? { name, code: theirs, statusCode: status } : cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function readAnswer(thrown: unknown): ServiceAnswer {
  const error = asObject(thrown)
  const body = asObject(asObject(error["details"])["error"])
  const inner = asObject(body["innererror"] ?? body["innerError"])
  return {
    name: text(error["name"]) || "an unknown error",
    status: typeof error["statusCode"] === "number" ? error["statusCode"] : undefined,
    code: plain(text(error["code"]) || text(asObject(error["details"])["errorCode"])),
    innerCode: plain(text(inner["code"]) || (headerOf(error, innerCodeHeader) ?? "")),
    message: text(error["message"]),
    retryAfterMs: retryAfterOf(error),
  }
}

/** A code is one word; anything else is not quoted. */
function plain(code: string): string {
  return /^[\w.:-]{1,80}$/.test(code) ? code : ""
}

/** No service means more than a day: a change would be in quarantine before it may be tried again. */
const longestRetryAfterMs = 86_400_000

function retryAfterOf(error: Readonly<Record<string, unknown>>): number | undefined {
  const value = headerOf(error, "retry-after")
  if (value === undefined || value === "") return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 && ms <= longestRetryAfterMs ? ms : undefined
}

function headerOf(error: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const headers = asObject(asObject(error["response"])["headers"])
  const get = headers["get"]
  const value: unknown = typeof get === "function" ? get.call(headers, name) : undefined
  return typeof value === "string" ? value : undefined
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string {
  return typeof value === "string" ? value : ""
}
