import type { Server } from "node:https"
import type { Duplex } from "node:stream"

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
}

/**
 * Answers what is no HTTP request, or comes too slowly, with a status line and closes; closes what is no TLS.
 * Tells `log` once a connection, by code and without content.
 */
export function answerUnreadable(server: Server, log: (what: string) => void): void {
  const told = new WeakSet<Duplex>()
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const code = error.code ?? error.name
    // The rest of a long request fails again, and many clients close without ceremony.
    if (!told.has(socket) && code !== "ECONNRESET") log(`unreadable request, ${code}`)
    told.add(socket)
    if (!socket.writable || code.startsWith("ERR_SSL")) {
      socket.destroy()
      return
    }
    const status = statusLines[code] ?? "400 Bad Request"
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
}
