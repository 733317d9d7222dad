import { timingSafeEqual } from "node:crypto"
import http, { type IncomingMessage, type ServerResponse } from "node:http"
import https from "node:https"
import { listen } from "../tls/listen.ts"
import type { EventGridRelay } from "./relay.ts"

export interface PublishEndpointOptions {
  readonly relay: Pick<EventGridRelay, "publish">
  /** The access key, sent as `aeg-sas-key`. */
  readonly key: string
  /** Says whether a bearer token allows to publish; absent: no token does. */
  readonly checkToken?: (token: string) => Promise<boolean>
  /** Absent: plain HTTP, which the SDK's client takes with `allowInsecureConnection`. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly port?: number
}

export interface RunningPublishEndpoint {
  /** What an EventGridPublisherClient takes. */
  readonly url: string
  stop(): Promise<void>
}

class PublishError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const maxBytes = 1_048_576

/**
 * Starts a topic endpoint: takes what `EventGridPublisherClient` sends (POST, api-version 2018-01-01, an array of
 * events in either schema) and feeds each event to the relay as it is.
 *
 * Answers 200 without a body; 401 without a valid key or token, 400 for a body that is no event or array of events,
 * 413 beyond 1 MB. A request is taken whole or not at all.
 */
export async function startPublishEndpoint(options: PublishEndpointOptions): Promise<RunningPublishEndpoint> {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    publish(request, options).then(
      () => response.writeHead(200).end(),
      (error: unknown) => refuse(response, error),
    )
  }
  const server = options.tls ? https.createServer(options.tls, handle) : http.createServer(handle)
  const { port, stop } = await listen(server, options.port)
  return { url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}/api/events`, stop }
}

async function publish(request: IncomingMessage, options: PublishEndpointOptions): Promise<void> {
  if (request.method !== "POST") throw new PublishError(405, "MethodNotAllowed", "Events are sent by POST")
  if (!(await isAuthorized(request, options))) {
    throw new PublishError(401, "Unauthorized", "The request has no valid key, signature or token")
  }
  const { searchParams } = new URL(request.url ?? "/", "https://topic")
  if (!searchParams.has("api-version")) throw new PublishError(400, "BadRequest", "api-version is missing")
  const parsed = await readJson(request)
  const events: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  if (!events.every(isObject)) throw new PublishError(400, "BadRequest", "An event is one JSON object")
  for (const event of events) options.relay.publish(event)
}

async function isAuthorized({ headers }: IncomingMessage, options: PublishEndpointOptions): Promise<boolean> {
  const key = headers["aeg-sas-key"]
  if (typeof key === "string") {
    const [given, expected] = [Buffer.from(key), Buffer.from(options.key)]
    return given.length === expected.length && timingSafeEqual(given, expected)
  }
  const [scheme, token] = headers.authorization?.split(" ", 2) ?? []
  return (
    scheme?.toLowerCase() === "bearer" && token !== undefined && (await options.checkToken?.(token)) === true
  )
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes <= maxBytes) chunks.push(chunk)
  }
  if (sizeBytes > maxBytes) throw new PublishError(413, "RequestEntityTooLarge", `At most ${maxBytes} bytes`)
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown
  } catch {
    throw new PublishError(400, "BadRequest", "The body is not JSON")
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, code, message } =
    error instanceof PublishError ? error : new PublishError(500, "InternalServerError", "Something failed")
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" })
  response.end(JSON.stringify({ error: { code, message, details: [{ code, message }] } }))
}
