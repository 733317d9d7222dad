import { once } from "node:events"
import http from "node:http"
import net from "node:net"
import { describe, expect, it } from "vitest"
import { listen } from "../../../local/tls/listen.ts"

describe("listen", () => {
  it("binds to the loopback address, and stops at once in the middle of a request", async () => {
    const server = http.createServer(() => {})
    const { port, stop } = await listen(server)
    expect(server.address()).toMatchObject({ address: "127.0.0.1", port })
    const client = net.connect(port, "127.0.0.1")
    client.on("error", () => client.destroy())
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await once(server, "request")
    const closed = once(client, "close")
    const started = performance.now()
    await Promise.all([stop(), stop()])
    await closed
    expect(performance.now() - started).toBeLessThan(500)
  })

  it("takes the port asked for, and says so when it is taken", async () => {
    const first = await listen(http.createServer())
    await expect(listen(http.createServer(), first.port)).rejects.toMatchObject({ code: "EADDRINUSE" })
    await first.stop()
    const second = await listen(http.createServer(), first.port)
    expect(second.port).toBe(first.port)
    await second.stop()
  })
})
