import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls"
import type { ConnectAnswer, Connector, TlsAnswer } from "./connector.ts"

const tcpTimeoutMs = 2500
const tlsTimeoutMs = 2500

/**
 * Connects as the clients do, by name, with the authorities this process trusts. A certificate that a client would
 * refuse is looked at all the same, to tell whose it is; nothing is ever sent.
 */
export function createSystemConnector(): Connector {
  return {
    connect: async (host, port, { signal } = {}) => {
      const socket = connectTcp({ host, port, autoSelectFamily: true })
      const destroy = () => socket.destroy()
      signal?.addEventListener("abort", destroy, { once: true })
      try {
        const problem = await settled(socket, "connect", tcpTimeoutMs)
        if (problem !== undefined) return { tcp: { problem } }
        const address = socket.remoteAddress ?? host
        return { tcp: { address }, tls: await shakeHands(socket, host) } satisfies ConnectAnswer
      } finally {
        signal?.removeEventListener("abort", destroy)
        destroy()
      }
    },
  }
}

async function shakeHands(socket: Socket, host: string): Promise<TlsAnswer> {
  const secure = connectTls({
    socket,
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    // Only to see whose certificate it is: the verdict of the check is read, and nothing is sent.
    rejectUnauthorized: false,
  })
  try {
    const failed = await settled(secure, "secureConnect", tlsTimeoutMs)
    if (failed !== undefined) return { problem: "handshake", code: failed }
    return describe(secure)
  } finally {
    secure.destroy()
  }
}

function describe(secure: TLSSocket): TlsAnswer {
  const certificate = secure.getPeerCertificate()
  const protocol = secure.getProtocol()
  const shown = {
    ...(protocol === null ? {} : { protocol }),
    ...nameOf("subject", certificate.subject),
    ...nameOf("issuer", certificate.issuer),
  }
  if (secure.authorized) return shown
  const error: unknown = secure.authorizationError
  const code = error instanceof Error ? String(Reflect.get(error, "code") ?? error.name) : String(error)
  return { ...shown, problem: problemOf(code), code }
}

function problemOf(code: string): NonNullable<TlsAnswer["problem"]> {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "name"
  return /EXPIRED|NOT_YET_VALID/.test(code) ? "time" : "chain"
}

function nameOf<Name extends "subject" | "issuer">(
  name: Name,
  value: PeerCertificate["subject"] | undefined,
): { readonly [Key in Name]?: string } {
  const found = value?.CN ?? value?.O
  const text = Array.isArray(found) ? found[0] : found
  return text === undefined ? {} : ({ [name]: String(text).slice(0, 200) } as { [Key in Name]: string })
}

/** Why `event` did not come; undefined when it did. */
function settled(socket: Socket, event: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end("ETIMEDOUT"), timeoutMs)
    const end = (problem: string | undefined) => {
      clearTimeout(timer)
      resolve(problem)
    }
    socket.once(event, () => end(undefined))
    socket.on("error", (error: NodeJS.ErrnoException) => end(codeOf(error)))
    socket.once("close", () => end("ECONNRESET"))
  })
}

function codeOf(error: NodeJS.ErrnoException): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error
  return inner.code ?? inner.name
}
