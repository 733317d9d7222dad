import { randomBytes } from "node:crypto"
import net from "node:net"
import tls from "node:tls"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type AVault, aVault, refusalOf } from "./aVault.ts"

let sample: AVault
beforeAll(async () => {
  sample = await aVault({ throttle: false })
  await sample.secrets().setSecret("known", "v")
})
afterAll(() => sample.stop())

const connect = () => tls.connect({ port: sample.vault.port, host: "127.0.0.1", ca: sample.caPem })

/** Everything the server sends until it closes. */
async function exchange(socket: net.Socket, bytes: string | Buffer): Promise<string> {
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  const closed = new Promise<void>((resolve) => {
    socket.on("close", resolve)
    socket.on("error", () => socket.destroy())
  })
  socket.write(bytes)
  await closed
  return Buffer.concat(chunks).toString("latin1")
}

describe("requests that are none", () => {
  const cases = [
    { name: "random bytes", bytes: randomBytes(500), answer: /^HTTP\/1\.1 400 / },
    { name: "an unknown method", bytes: "BREW /pot HTTP/1.1\r\nhost: x\r\n\r\n", answer: /^HTTP\/1\.1 400 / },
    {
      name: "headers of 100 KB",
      bytes: `GET /secrets HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(100_000)}\r\n\r\n`,
      answer: /^HTTP\/1\.1 431 |^$/,
    },
    {
      name: "two lengths",
      bytes: "PUT /secrets/a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
      answer: /^HTTP\/1\.1 400 /,
    },
  ]
  it.each(cases)(
    "are answered or closed, told in one line, and harm nobody: $name",
    async ({ bytes, answer }) => {
      const from = sample.lines.length
      expect(await exchange(connect(), bytes)).toMatch(answer)
      expect(sample.lines.slice(from)).toEqual([
        expect.stringMatching(/^keyvault sample: unreadable request, /),
      ])
      expect((await sample.ask("/secrets/known")).status).toBe(200)
    },
  )

  it("are closed when they speak no TLS", async () => {
    const from = sample.lines.length
    const socket = net.connect(sample.vault.port, "127.0.0.1")
    await exchange(socket, "GET /secrets HTTP/1.1\r\nhost: x\r\n\r\n")
    expect(sample.lines.slice(from)).toEqual(["keyvault sample: unreadable request, ERR_SSL_HTTP_REQUEST"])
    expect((await sample.ask("/secrets/known")).status).toBe(200)
  })
})

describe("requests for nothing", () => {
  it.each([
    { name: "an unknown collection", path: "/storage/x" },
    { name: "the root", path: "/" },
    { name: "a path that is too deep", path: "/secrets/a/b/c/d/e" },
    { name: "an operation of another method", path: "/secrets/known", method: "POST" },
  ])("are answered 404: $name", async ({ path, method = "GET" }) => {
    expect(await refusalOf(await sample.ask(path, { method }))).toMatchObject({
      status: 404,
      code: "NotFound",
    })
  })

  it("never put a query or a line end into the log", async () => {
    const from = sample.lines.length
    await sample.ask("/secrets/a%0Ab?api-version=7.4&token=hidden")
    expect(sample.lines.slice(from)).toEqual(["keyvault sample: GET /secrets/a%0Ab 400 user"])
  })

  it("answer a HEAD without a body, and keep the connection usable", async () => {
    expect((await sample.ask("/secrets/known", { method: "HEAD" })).status).toBe(404)
    expect((await sample.ask("/secrets/known")).status).toBe(200)
  })
})

describe("bodies", () => {
  it("that are too large are refused before they are read", async () => {
    const body = JSON.stringify({ value: "x".repeat(2 * 1024 * 1024) })
    const outcome = await sample.ask("/secrets/big", { method: "PUT", body }).then(
      (response) => response.status,
      () => "closed",
    )
    expect([400, "closed"]).toContain(outcome)
    expect((await sample.ask("/secrets/known")).status).toBe(200)
  })

  it("that are not UTF-8 are refused, and none is quoted", async () => {
    const from = sample.lines.length
    const body = Buffer.concat([Buffer.from('{"value":"hidden'), Buffer.of(0xff), Buffer.from('"}')])
    const refusal = await refusalOf(await sample.ask("/secrets/bytes", { method: "PUT", body }))
    expect(refusal).toMatchObject({ status: 400, code: "BadParameter" })
    expect(refusal.message).not.toContain("hidden")
    expect(sample.lines.slice(from).join("\n")).not.toContain("hidden")
  })

  it("that never come do not keep the server from stopping", async () => {
    const own = await aVault()
    const token = await own.authority.issue("user", "vault")
    const socket = tls.connect({ port: own.vault.port, host: "127.0.0.1", ca: own.caPem })
    socket.on("error", () => socket.destroy())
    const head = `PUT /secrets/a?api-version=7.4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`
    await new Promise<void>((resolve) =>
      socket.write(`${head}content-length: 50\r\n\r\n{"va`, () => resolve()),
    )
    expect((await own.ask("/secrets")).status).toBe(200)
    const started = performance.now()
    await own.stop()
    await own.vault.stop()
    expect(performance.now() - started).toBeLessThan(500)
    expect(own.lines).toEqual([])
  })
})
