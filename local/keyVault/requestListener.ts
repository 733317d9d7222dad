import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import { playTransportFault } from "../faults/transportFault.ts"
import { type PermissionModel, requireNetwork, requireRole } from "./admission.ts"
import { bearerToken, challengeHeaders, unauthorized } from "./challenge.ts"
import { findRoute, type MatchedRoute } from "./routes.ts"
import { badParameter, VaultError } from "./vaultError.ts"
import type { VaultAnswer, VaultContext } from "./vaultRequest.ts"
import { errorAnswer, faultError, readBody, sendAnswer } from "./vaultResponse.ts"

export interface RequestListenerOptions {
  readonly vault: VaultContext
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly permissionModel: PermissionModel
  /** Counts one transaction or refuses it; undefined counts nothing. */
  readonly throttle: (() => void) | undefined
  readonly log: (line: string) => void
}

const apiVersionPattern = /^(7\.\d|20\d\d-\d\d-\d\d)(-preview(\.\d)?)?$/
const noBody = Buffer.alloc(0)

/**
 * Answers every request of one vault, in the order the service checks: token, api-version, network, rate,
 * role, then the operation. Whatever a request does, it is answered or its connection closed; nothing
 * reaches the process.
 */
export function createRequestListener(options: RequestListenerOptions): RequestListener {
  return (request, response) => {
    // A client that goes away while it is answered is no failure of the vault.
    response.on("error", () => response.destroy())
    answer(options, request, response).catch((error: unknown) => {
      options.log(`keyvault ${options.vault.name}: a request failed inside: ${nameOf(error)}`)
      response.destroy()
    })
  }
}

async function answer(
  options: RequestListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { authority, faults } = options
  const target = request.url ?? "/"
  const method = request.method ?? "GET"
  const verdict = await authority.check(bearerToken(request.headers.authorization), "vault")
  const job = "caller" in verdict ? verdict.caller.job : undefined
  const fault = faults.take("keyvault", { method, path: target, ...(job && { job }) })
  if (fault && (await playTransportFault(fault, response)) === "handled") return
  let reply: VaultAnswer
  try {
    const isRefused = fault?.effect === "status" && fault.status !== 200
    if (isRefused) throw faultError(fault, fault.status === 401 ? challengeHeaders(authority.tenantId) : {})
    if ("problem" in verdict) throw unauthorized(authority, verdict.problem)
    reply = await operate(options, request, { target, method, caller: verdict.caller })
    if (fault?.effect === "status") reply = withoutValue(reply)
  } catch (error) {
    // The client went away before its request was whole; nobody is left to answer.
    if (request.errored) return
    reply = errorAnswer(toVaultError(options, error))
  }
  if (reply.status >= 400 && !("problem" in verdict && verdict.problem === "missing")) {
    options.log(
      `keyvault ${options.vault.name}: ${describe(method, target)} ${reply.status} ${job ?? "unknown caller"}`,
    )
  }
  // Nobody reads the rest of a refused body, so the connection cannot serve another request.
  if (!request.complete && method !== "GET") response.setHeader("connection", "close")
  sendAnswer(response, reply)
}

async function operate(
  { vault, access, permissionModel, throttle }: RequestListenerOptions,
  request: IncomingMessage,
  asked: {
    readonly target: string
    readonly method: string
    readonly caller: Parameters<AccessControl["may"]>[0]
  },
): Promise<VaultAnswer> {
  const { target, method, caller } = asked
  const queryStart = target.indexOf("?")
  const query = new URLSearchParams(queryStart === -1 ? "" : target.slice(queryStart + 1))
  requireApiVersion(query)
  requireNetwork(access, vault, caller, request.socket.remoteAddress)
  throttle?.()
  const matched = requireRoute(method, queryStart === -1 ? target : target.slice(0, queryStart))
  requireRole(access, permissionModel, vault, caller, matched)
  const body = method === "GET" ? noBody : await readBody(request)
  const { name, version, route } = matched
  return route.handle({ vault, name, version, query, body })
}

function requireApiVersion(query: URLSearchParams): void {
  const version = query.get("api-version")
  if (version === null) throw badParameter("The parameter 'api-version' is missing")
  if (!apiVersionPattern.test(version)) throw badParameter("The 'api-version' is not a known one")
}

function requireRoute(method: string, path: string): MatchedRoute {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    throw badParameter("The request URI is not valid")
  }
  const matched = findRoute(method, decoded)
  if (matched) return matched
  throw new VaultError(404, "NotFound", "The vault has no such operation.")
}

/** What a fault of status 200 does: the bundle of a secret comes without its value. */
function withoutValue(reply: VaultAnswer): VaultAnswer {
  if (typeof reply.body !== "object" || reply.body === null) return reply
  return { ...reply, body: { ...reply.body, value: undefined } }
}

function toVaultError({ vault, log }: RequestListenerOptions, error: unknown): VaultError {
  if (error instanceof VaultError) return error
  log(`keyvault ${vault.name}: a request failed inside: ${nameOf(error)}`)
  return new VaultError(500, "InternalServerError", "The request failed inside the vault.")
}

/** The kind of an error; its message may quote a body. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

/** Method and path for a log line: no query, nothing that could break the line. */
function describe(method: string, target: string): string {
  const path = target.split("?", 1)[0] ?? ""
  return `${method} ${path.slice(0, 300).replaceAll(/[^\x21-\x7e]/g, "?")}`
}
