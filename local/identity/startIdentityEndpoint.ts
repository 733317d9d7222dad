import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto"
import http, { type IncomingMessage, type ServerResponse } from "node:http"
import https from "node:https"
import { type Audience, audiences, type Caller, type TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook, FaultRule } from "../faults/faultBook.ts"
import { playTransportFault } from "../faults/transportFault.ts"
import { listen } from "../tls/listen.ts"

export interface IdentityEndpointOptions {
  readonly authority: TokenAuthority
  readonly faults: FaultBook
  /** PEM. Absent, the endpoint speaks plain http, as App Service's does on its loopback address. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** What callers must send as X-IDENTITY-HEADER; absent, a random one. */
  readonly header?: string
  readonly port?: number
  readonly log?: (line: string) => void
}

export interface RunningIdentityEndpoint {
  /** For the environment variable IDENTITY_ENDPOINT. */
  readonly url: string
  /** For the environment variable IDENTITY_HEADER. */
  readonly header: string
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly retryAfter?: string | number | undefined
}

const path = "/msi/token"
const apiVersion = "2019-08-01"
const tokenLifetimeSeconds = 86_400

/**
 * Starts the App Service managed identity endpoint, so that `ManagedIdentityCredential` runs unchanged: GET
 * /msi/token with `resource`, `api-version` and `client_id`. Every identity is a user-assigned one, so a call
 * without `client_id` is answered 400 with the ids that exist.
 *
 * Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export async function startIdentityEndpoint(
  options: IdentityEndpointOptions,
): Promise<RunningIdentityEndpoint> {
  const header = options.header ?? randomBytes(24).toString("base64url")
  const log = options.log ?? (() => {})
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answerRequest({ ...options, header, log }, request, response).catch((error: unknown) => {
      log(`identity: request failed: ${error instanceof Error ? error.name : "unknown"}`)
      response.destroy()
    })
  }
  const server = options.tls ? https.createServer(options.tls, handle) : http.createServer(handle)
  const { port, stop } = await listen(server, options.port)
  return { url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}${path}`, header, stop }
}

async function answerRequest(
  options: IdentityEndpointOptions & { readonly header: string; log(line: string): void },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost")
  const clientId = url.searchParams.get("client_id")?.toLowerCase()
  const caller = [...options.authority.callers.values()].find((known) => known.clientId === clientId)
  const fault = options.faults.take("identity", {
    path: request.url ?? "/",
    ...(request.method && { method: request.method }),
    ...(caller && { job: caller.job }),
  })
  if (fault && (await playTransportFault(fault, response)) === "handled") return
  const answer =
    fault?.effect === "status" ? faultAnswer(fault) : await tokenAnswer(options, request, url, caller)
  if (answer.status !== 200)
    options.log(`identity: ${answer.status} for ${caller?.job ?? "an unknown identity"}`)
  const body = Buffer.from(JSON.stringify(answer.body))
  response.writeHead(answer.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": body.length,
    "cache-control": "no-store",
    ...(answer.retryAfter !== undefined && { "retry-after": String(answer.retryAfter) }),
  })
  response.end(body)
}

async function tokenAnswer(
  { authority, header }: { readonly authority: TokenAuthority; readonly header: string },
  request: IncomingMessage,
  url: URL,
  caller: Caller | undefined,
): Promise<Answer> {
  if (url.pathname.toLowerCase() !== path) return refusal(404, `Nothing is served here; ask ${path}`)
  if (request.method !== "GET") return refusal(405, "The token endpoint answers GET only")
  if (!isSame(request.headers["x-identity-header"], header)) {
    return refusal(401, "The X-IDENTITY-HEADER of the request is missing or wrong")
  }
  if (url.searchParams.get("api-version") !== apiVersion) {
    return refusal(400, `The api-version must be ${apiVersion}`)
  }
  const resource = url.searchParams.get("resource")
  const audience = audienceOf(resource)
  if (!audience) return refusal(400, `The resource must be one of ${Object.values(audiences).join(", ")}`)
  if (!caller) return refusal(400, unknownIdentity(authority, url.searchParams.has("client_id")))
  const access_token = await authority.issue(caller.job, audience)
  const expires_on = String(Math.floor(Date.now() / 1000) + tokenLifetimeSeconds)
  return {
    status: 200,
    body: { access_token, expires_on, resource, token_type: "Bearer", client_id: caller.clientId },
  }
}

function audienceOf(resource: string | null): Audience | undefined {
  const wanted = resource?.toLowerCase().replace(/\/+$/, "")
  const found = Object.entries(audiences).find(([, address]) => address === wanted)
  return found?.[0] as Audience | undefined
}

function unknownIdentity(authority: TokenAuthority, wasNamed: boolean): string {
  const known = [...authority.callers.values()].map(({ job, clientId }) => `${job} ${clientId}`)
  const problem = wasNamed
    ? "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
    : "There is no system-assigned identity; name a client_id."
  return `${problem} Identities: ${known.join(", ")}`
}

function refusal(statusCode: number, message: string): Answer {
  return { status: statusCode, body: { statusCode, message, correlationId: randomUUID() } }
}

function faultAnswer(fault: FaultRule): Answer {
  const status = fault.status ?? 500
  const { body } = refusal(status, fault.code ?? "A fault is in force")
  return { status, body, retryAfter: fault.retryAfter }
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given ?? "")), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
