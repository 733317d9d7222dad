import { createHash, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type HttpRoute, parseRoute } from "./httpRoute.ts"
import type { Invoke } from "./invokeFunction.ts"
import { toRpcRequest, writeRpcResponse } from "./rpcHttp.ts"
import type { Pump } from "./pump.ts"
import type { HttpTrigger } from "./readTrigger.ts"

export interface HttpTriggerOptions {
  readonly triggers: readonly HttpTrigger[]
  readonly routePrefix: string
  /** Opens functions of the levels function and admin; without it they answer 401 to everyone. */
  readonly functionKey: string | undefined
  readonly port: number | undefined
  readonly invoke: Invoke
}

export interface HttpPump extends Pump {
  readonly port: number
}

interface RoutedFunction extends HttpTrigger {
  readonly match: HttpRoute["match"]
  readonly precedence: number
}

/** The host's default, 100 MB. */
const maxBodyBytes = 104_857_600

/**
 * Serves the HTTP functions on 127.0.0.1 as the host does: 404 for an unknown route or method, 401 without the
 * key (`?code=` or `x-functions-key`) where the function wants one, 500 without a body when it throws, 204 when
 * it returns nothing. The request goes through the library's own HttpRequest and HttpResponse.
 */
export async function startHttpTrigger(options: HttpTriggerOptions): Promise<HttpPump> {
  const routed = options.triggers
    .map((one): RoutedFunction => ({ ...one, ...routeOf(one) }))
    .sort((a, b) => b.precedence - a.precedence)
  const active = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const work = answer(options, routed, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500).end()
      else response.destroy()
    })
    active.add(work)
    void work.finally(() => active.delete(work))
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port ?? 0, "127.0.0.1", resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await Promise.all(active)
      server.closeAllConnections()
      await closed
    },
  }
}

function routeOf({ route }: HttpTrigger): HttpRoute {
  return parseRoute(route)
}

async function answer(
  { routePrefix, functionKey, invoke }: HttpTriggerOptions,
  functions: readonly RoutedFunction[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`)
  const path = withoutPrefix(url.pathname, routePrefix)
  for (const one of path === undefined ? [] : functions) {
    const parameters = one.match(path ?? "")
    if (!parameters || !one.methods.includes(request.method ?? "")) continue
    if (one.authLevel !== "anonymous" && !isKey(url, request, functionKey)) {
      response.writeHead(401).end()
      return
    }
    const body = await readBody(request)
    if (!body) {
      response.writeHead(413, { connection: "close" }).end()
      return
    }
    if (!isKey(url, request, functionKey)) dropPrincipal(request)
    const data = { http: toRpcRequest(request, url, parameters, body) }
    const { returnValue } = await invoke(one.target, () => ({ data, triggerMetadata: {} }))
    writeRpcResponse(returnValue?.http, response)
    return
  }
  response.writeHead(404).end()
}

function withoutPrefix(path: string, prefix: string): string | undefined {
  if (prefix === "") return path
  const start = `/${prefix}/`
  return path.toLowerCase().startsWith(start.toLowerCase()) ? path.slice(start.length) : undefined
}

/**
 * Who has signed in is for the platform to say: App Service takes such headers off what comes from outside. Whoever has
 * the key plays the platform here.
 */
function dropPrincipal({ headers }: IncomingMessage): void {
  for (const name of Object.keys(headers)) {
    if (name.startsWith("x-ms-client-principal")) delete headers[name]
  }
}

function isKey(url: URL, request: IncomingMessage, functionKey: string | undefined): boolean {
  const header = request.headers["x-functions-key"]
  const given = url.searchParams.get("code") ?? (typeof header === "string" ? header : undefined)
  if (given === undefined || functionKey === undefined) return false
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given), digest(functionKey))
}

/** The whole body, or undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
