// Loaded before the app (`node --import`): connections to each `host:port` that CONNECT_ELSEWHERE names, a comma list,
// go to the port CONNECT_TO on 127.0.0.1; the certificate is still checked for the host.
import { syncBuiltinESMExports } from "node:module"
import net from "node:net"
import tls from "node:tls"

const from = new Set((process.env["CONNECT_ELSEWHERE"] ?? "").split(","))
const port = Number(process.env["CONNECT_TO"])

interface Target {
  readonly host?: string
  readonly port?: number | string
}

type Connect = (options: Target, ...rest: unknown[]) => unknown

/** Node's functions take their options in several forms; the clients here give an object. */
function redirect<T>(connect: T): T {
  const original = connect as Connect
  const redirected: Connect = (options, ...rest) => {
    const { host, port: asked } = Object(options) as Target
    const isElsewhere = from.has(`${host}:${asked || 443}`)
    return original(isElsewhere ? { ...options, host: "127.0.0.1", port } : options, ...rest)
  }
  return redirected as T
}

tls.connect = redirect(tls.connect)
net.connect = redirect(net.connect)
syncBuiltinESMExports()
