import { randomBytes, timingSafeEqual } from "node:crypto"
import http, { type IncomingMessage, type ServerResponse } from "node:http"
import { pipeline } from "node:stream/promises"
import { Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import { listen } from "../tls/listen.ts"

export interface LatencyPageOptions {
  /** Base of the HTTP functions; asked anew for each request. */
  readonly functionsUrl: () => string
  /** The key of the functions host. */
  readonly functionKey: string
  readonly port?: number
}

export interface RunningLatencyPage {
  /** What a person opens; only who knows it gets anything. */
  readonly url: string
  stop(): Promise<void>
}

/** What App Service says of the person who signed in: one claim here, as everyone is the person at the keyboard. */
const principal = Buffer.from(
  JSON.stringify({ auth_typ: "aad", claims: [{ typ: "name", val: "local user" }] }),
).toString("base64")

/** Of the function's answer; what is between two hops is theirs. */
const passedOn = /^(?!connection$|keep-alive$|transfer-encoding$|content-length$|date$)/

/**
 * Stands before the function `latencyReport` as the authentication of App Service does: lets nobody through but whoever
 * knows the address, which has a random part, and says who that is. Plain HTTP on 127.0.0.1, because a browser does not
 * know the authority of the local cloud.
 */
export async function startLatencyPage(options: LatencyPageOptions): Promise<RunningLatencyPage> {
  const token = randomBytes(24).toString("base64url")
  const server = http.createServer((request, response) => {
    answer(request, response, token, options).catch(() => {
      if (response.headersSent) response.destroy()
      else
        response.writeHead(502, { "content-type": "text/plain" }).end("The functions host does not answer.\n")
    })
  })
  const { port, stop } = await listen(server, options.port)
  return { url: `http://127.0.0.1:${port}/${token}/`, stop }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  { functionsUrl, functionKey }: LatencyPageOptions,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? "/", "http://127.0.0.1")
  if (!isExpectedHost(request) || !isSame(pathname, `/${token}/`) || request.method !== "GET") {
    response.writeHead(404, { "cache-control": "no-store" }).end()
    return
  }
  const found = await fetch(`${functionsUrl()}/api/latencyReport${search}`, {
    headers: {
      "x-functions-key": functionKey,
      "x-ms-client-principal": principal,
      "x-ms-client-principal-idp": "aad",
      "x-ms-client-principal-name": "local user",
    },
  })
  response.writeHead(
    found.status,
    Object.fromEntries([...found.headers].filter(([name]) => passedOn.test(name))),
  )
  if (found.body) await pipeline(Readable.fromWeb(found.body as ReadableStream), response)
  else response.end()
}

/** A name of somebody else's that leads here is none of ours (DNS rebinding). */
function isExpectedHost({ headers, socket }: IncomingMessage): boolean {
  return headers.host === `127.0.0.1:${socket.localPort}` || headers.host === `localhost:${socket.localPort}`
}

function isSame(given: string, wanted: string): boolean {
  const one = Buffer.from(given)
  const other = Buffer.from(wanted)
  return one.length === other.length && timingSafeEqual(one, other)
}
