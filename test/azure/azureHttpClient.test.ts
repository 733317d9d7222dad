import { type IncomingMessage, createServer, type Server, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Readable } from "node:stream"
import { gzipSync } from "node:zlib"
import {
  createHttpHeaders,
  createPipelineRequest,
  type PipelineRequestOptions,
} from "@azure/core-rest-pipeline"
import { afterEach, describe, expect, it } from "vitest"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { fromVaultError } from "../../shared/azureErrors.ts"
import { collect } from "../support/collect.ts"

const open: { readonly server: Server; readonly client: ReturnType<typeof createAzureHttpClient> }[] = []
afterEach(async () => {
  for (const { server, client } of open.splice(0)) {
    await client.close()
    server.closeAllConnections()
    server.close()
  }
})

/** A server that answers with `handle`, a client, and what the server saw. */
async function aServer(
  handle: (request: IncomingMessage, response: ServerResponse, nth: number) => void,
  clientOptions: Parameters<typeof createAzureHttpClient>[0] = {},
) {
  const seen: { method: string; url: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    let body = ""
    sockets.add(request.socket)
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")))
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body })
      handle(request, response, seen.length)
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const client = createAzureHttpClient(clientOptions)
  open.push({ server, client })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = (options: Omit<PipelineRequestOptions, "url"> & { path?: string } = {}) => {
    const { path = "/", ...rest } = options
    return client.sendRequest(
      createPipelineRequest({ ...rest, url: `${origin}${path}`, allowInsecureConnection: true }),
    )
  }
  return { send, seen, sockets }
}

const ok = (_request: IncomingMessage, response: ServerResponse) => void response.end("ok")

describe("createAzureHttpClient", () => {
  it("asks for no compression, which the pipeline would and this client does not unpack", async () => {
    const { send, seen } = await aServer((request, response) => {
      const packs = String(request.headers["accept-encoding"]).includes("gzip")
      if (packs) response.writeHead(200, { "content-encoding": "gzip" })
      response.end(packs ? gzipSync("ok") : "ok")
    })
    const answer = await send({ headers: createHttpHeaders({ "Accept-Encoding": "gzip,deflate" }) })
    expect(answer.bodyAsText).toBe("ok")
    expect(seen[0]?.headers["accept-encoding"]).toBe("identity")
  })

  it("sends method, path, headers and body as they are, and hands the answer over", async () => {
    const { send, seen } = await aServer((_request, response) => {
      response.writeHead(201, { "x-ms-request-id": "r1", "set-cookie": ["a", "b"] })
      response.end('{"a":"ü"}')
    })
    const answer = await send({
      method: "PUT",
      path: "/c/b?comp=x&api%2Dversion=1",
      headers: createHttpHeaders({ "If-None-Match": "*", "x-ms-meta-origin": "live" }),
      body: Buffer.from([0, 0xff, 0x41]),
    })
    expect(seen).toMatchObject([
      {
        method: "PUT",
        url: "/c/b?comp=x&api%2Dversion=1",
        headers: { "if-none-match": "*", "x-ms-meta-origin": "live" },
        body: "\0\u00ffA",
      },
    ])
    expect([answer.status, answer.bodyAsText]).toEqual([201, '{"a":"ü"}'])
    expect(answer.headers.get("X-MS-Request-Id")).toBe("r1")
    expect(answer.headers.get("set-cookie")).toBe("a, b")
  })

  it("asks for / where the URL has no path", async () => {
    const { send, seen } = await aServer(ok)
    await send({ path: "" })
    expect(seen[0]?.url).toBe("/")
  })

  it("makes the body when it is asked for one", async () => {
    const { send, seen } = await aServer(ok)
    await send({ method: "PUT", body: (() => Buffer.from("made")) as never })
    expect(seen[0]?.body).toBe("made")
  })

  it("streams what is to be streamed", async () => {
    const { send } = await aServer(ok)
    const answer = await send({ streamResponseStatusCodes: new Set([200]) })
    expect(answer.bodyAsText).toBeUndefined()
    const chunks = await collect(answer.readableStreamBody as AsyncIterable<Buffer>)
    expect(Buffer.concat(chunks).toString()).toBe("ok")
  })

  it("uses a connection again", async () => {
    const { send, sockets } = await aServer(ok)
    for (let n = 0; n < 20; n++) await send()
    // The next request may be written before the socket of the last one is free again.
    expect(sockets.size).toBeLessThanOrEqual(2)
  })

  it("takes refusals for answers", async () => {
    const { send } = await aServer((_request, response) => void response.writeHead(503).end("busy"))
    await expect(send()).resolves.toMatchObject({ status: 503, bodyAsText: "busy" })
  })

  it("sends once more when the connection breaks before the answer, and not a third time", async () => {
    const first = await aServer((request, response, nth) =>
      nth === 1 ? request.socket.destroy() : response.end("ok"),
    )
    await expect(first.send({ method: "PUT", body: "x" })).resolves.toMatchObject({ status: 200 })
    expect(first.seen.map(({ body }) => body)).toEqual(["x", "x"])
    const always = await aServer((request) => void request.socket.destroy())
    const error: unknown = await always.send().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: "RestError" })
    expect(fromVaultError(error, {}).code).toBe("ERR_VAULT_UNAVAILABLE")
    expect(always.seen).toHaveLength(2)
  })

  it("sends bytes again, and makes a body again", async () => {
    for (const body of [Buffer.from("again"), (() => Buffer.from("again")) as never]) {
      const { send, seen } = await aServer((request, response, nth) =>
        nth === 1 ? request.socket.destroy() : response.end("ok"),
      )
      await expect(send({ method: "PUT", body })).resolves.toMatchObject({ status: 200 })
      expect(seen.map((one) => one.body)).toEqual(["again", "again"])
    }
  })

  it("does not send a stream again: it has been read", async () => {
    const { send, seen } = await aServer((request) => void request.socket.destroy())
    await expect(send({ method: "PUT", body: Readable.from(["x"]) })).rejects.toMatchObject({
      name: "RestError",
    })
    expect(seen).toHaveLength(1)
  })

  it("takes a streamed answer up again where it broke", async () => {
    const { send, seen } = await aServer((request, response, nth) => {
      if (nth === 2) {
        response.writeHead(206, { etag: '"e"', "content-length": "4", "content-range": "bytes 3-6/7" })
        response.end("DEFG")
        return
      }
      response.writeHead(200, { etag: '"e"', "content-length": "7" })
      response.write("ABC")
      setTimeout(() => request.socket.destroy(), 20)
    })
    const answer = await send({ streamResponseStatusCodes: new Set([200]) })
    const chunks = await collect(answer.readableStreamBody as AsyncIterable<Buffer>)
    expect(Buffer.concat(chunks).toString()).toBe("ABCDEFG")
    expect(seen[1]?.headers).toMatchObject({ range: "bytes=3-6", "if-match": '"e"' })
  })

  it("does not send a PUT again where each makes a version, and a GET still", async () => {
    const handle = (request: IncomingMessage) => void request.socket.destroy()
    const { send, seen } = await aServer(handle, { resendsPuts: false })
    await expect(send({ method: "PUT", body: "x" })).rejects.toMatchObject({ name: "RestError" })
    expect(seen.map(({ method }) => method)).toEqual(["PUT"])
    await expect(send()).rejects.toMatchObject({ name: "RestError" })
    expect(seen.map(({ method }) => method)).toEqual(["PUT", "GET", "GET"])
  })

  it("does not send a POST again", async () => {
    const { send, seen } = await aServer((request) => void request.socket.destroy())
    await expect(send({ method: "POST", body: "x" })).rejects.toMatchObject({ name: "RestError" })
    expect(seen).toHaveLength(1)
  })

  it("tells an answer that breaks off, and quotes nothing of it", async () => {
    const { send } = await aServer((request, response) => {
      response.writeHead(200, { "content-length": "100" })
      response.write('{"value":"hunter2')
      setTimeout(() => request.socket.destroy(), 20)
    })
    const error: unknown = await send().catch((thrown: unknown) => thrown)
    expect(fromVaultError(error, {}).code).toBe("ERR_VAULT_UNAVAILABLE")
    expect(String(error)).not.toContain("hunter2")
  })

  it("gives up after the request's timeout", async () => {
    const { send } = await aServer(() => {})
    const error: unknown = await send({ timeout: 300 }).catch((thrown: unknown) => thrown)
    expect(fromVaultError(error, {}).code).toBe("ERR_VAULT_UNAVAILABLE")
  })

  it("stops when it is told to", async () => {
    const { send } = await aServer(() => {})
    const stop = new AbortController()
    const sent = send({ abortSignal: stop.signal })
    setTimeout(() => stop.abort(), 50)
    await expect(sent).rejects.toMatchObject({ name: "AbortError" })
  })

  it("tells a host that is not there", async () => {
    const client = createAzureHttpClient()
    const request = createPipelineRequest({ url: "https://127.0.0.1:1/" })
    const error: unknown = await client.sendRequest(request).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: "RestError", code: "ECONNREFUSED" })
    await client.close()
  })
})
