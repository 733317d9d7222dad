import { randomBytes, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import https from "node:https"
import { z } from "zod"
import { listen } from "../tls/listen.ts"

/** A request body that does not fit, in words for whoever sent it. */
export class ControlError extends Error {
  override readonly name = "ControlError"
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Does one thing; its result is the answer's JSON body, `undefined` an empty 204. */
export type ControlHandler = (body: unknown, parameter: string) => unknown

/** Handlers by `METHOD /path`; a path that ends in `/*` takes one more segment as the parameter. */
export type ControlRoutes = Readonly<Record<string, ControlHandler>>

export interface ControlEndpointOptions {
  readonly tls: { readonly cert: string; readonly key: string }
  readonly routes: ControlRoutes
  readonly token?: string
  readonly port?: number
}

export interface RunningControlEndpoint {
  readonly url: string
  /** Callers send it as `Authorization: Bearer …`. */
  readonly token: string
  stop(): Promise<void>
}

const bodyLimitBytes = 1_048_576

/** Starts the endpoint that steers a local cloud. Only whoever can read `.local/cloud.json` knows its token. */
export async function startControlEndpoint(options: ControlEndpointOptions): Promise<RunningControlEndpoint> {
  const token = options.token ?? randomBytes(24).toString("base64url")
  const server = https.createServer(options.tls, (request, response) => {
    answer(request, response, token, options.routes).catch(() => response.destroy())
  })
  const { port, stop } = await listen(server, options.port)
  return { url: `https://127.0.0.1:${port}`, token, stop }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  routes: ControlRoutes,
): Promise<void> {
  try {
    if (!isAuthorized(request, token))
      throw new ControlError(401, "Send the token of .local/cloud.json as a bearer token")
    const { pathname } = new URL(request.url ?? "/", "https://control")
    const [handler, parameter] = findRoute(routes, request.method ?? "GET", pathname)
    const result: unknown = await handler(await readJson(request), parameter)
    send(response, result === undefined ? 204 : 200, result)
  } catch (error) {
    if (error instanceof ControlError) send(response, error.status, { error: error.message })
    else if (error instanceof z.ZodError) send(response, 400, { error: z.prettifyError(error) })
    else if (error instanceof URIError)
      send(response, 400, { error: "The path is not encoded as it should be" })
    else send(response, 500, { error: error instanceof Error ? error.message : "Something failed" })
  }
}

function isAuthorized({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "")
  const expected = Buffer.from(`Bearer ${token}`)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function findRoute(routes: ControlRoutes, method: string, path: string): [ControlHandler, string] {
  const exact = routes[`${method} ${path}`]
  if (exact) return [exact, ""]
  const cut = path.lastIndexOf("/")
  const wild = routes[`${method} ${path.slice(0, cut)}/*`]
  if (wild && cut > 0) return [wild, decodeURIComponent(path.slice(cut + 1))]
  throw new ControlError(404, `No such call; there are: ${Object.keys(routes).join(", ")}`)
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    const bytes = chunk as Buffer
    sizeBytes += bytes.length
    if (sizeBytes > bodyLimitBytes) throw new ControlError(413, `A body has at most ${bodyLimitBytes} bytes`)
    chunks.push(bytes)
  }
  if (sizeBytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown
  } catch {
    throw new ControlError(400, "The body is not JSON")
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`)
}
