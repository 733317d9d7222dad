import { once } from "node:events"
import type { Server, Socket } from "node:net"

/** A server that accepts connections on 127.0.0.1. */
export interface Listening {
  readonly port: number
  /** Closes the listener and every connection, also busy ones. Safe to call again. */
  stop(): Promise<void>
}

/**
 * Binds `server` to 127.0.0.1 and keeps track of its connections, so that stopping never waits for a client.
 *
 * @param port - 0 or absent takes any free one.
 */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    // A connection that breaks is the client's affair; without a listener it would end the process.
    socket.on("error", () => socket.destroy())
  })
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new TypeError("The server has no port")
  let stopped: Promise<void> | undefined
  return {
    port: address.port,
    stop: () => {
      stopped ??= new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
      return stopped
    },
  }
}
