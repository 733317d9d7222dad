import { once } from "node:events"
import { type AddressInfo, createServer as createPlainServer } from "node:net"
import tls, { createServer } from "node:tls"
import { afterEach, describe, expect, it } from "vitest"
import { type Listening, listen } from "../../local/tls/listen.ts"
import { createCertificateAuthority } from "../../local/tls/certificateAuthority.ts"
import { createSystemConnector } from "../../shared/diagnosis/systemConnector.ts"
import { createSystemResolver } from "../../shared/diagnosis/systemResolver.ts"

const trusted = await createCertificateAuthority()
const inspecting = await createCertificateAuthority()
tls.setDefaultCACertificates([...tls.getCACertificates("default"), trusted.caPem])

const servers: Listening[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function serve(server: Parameters<typeof listen>[0]): Promise<number> {
  const listening = await listen(server)
  servers.push(listening)
  return listening.port
}

describe("createSystemConnector", () => {
  const connector = createSystemConnector()

  it("tells whose certificate a service shows", async () => {
    const port = await serve(createServer(await trusted.issue([])))
    const answer = await connector.connect("localhost", port)
    expect(answer).toMatchObject({ tls: { subject: "localhost", protocol: "TLSv1.3" } })
    expect(answer.tls?.problem).toBeUndefined()
  })

  it("tells of a proxy in the middle: its chain is not trusted here", async () => {
    const port = await serve(createServer(await inspecting.issue([])))
    const { tls } = await connector.connect("localhost", port)
    expect(tls).toMatchObject({ problem: "chain", issuer: expect.stringMatching(/authority/) })
  })

  it("tells of a certificate of another host", async () => {
    const server = createServer(await trusted.issue([])).listen(0, "127.0.0.2")
    await once(server, "listening")
    // The certificate is good for 127.0.0.1 alone.
    const { port } = server.address() as AddressInfo
    const { tls } = await connector.connect("127.0.0.2", port)
    server.close()
    expect(tls).toMatchObject({ problem: "name", code: "ERR_TLS_CERT_ALTNAME_INVALID" })
  })

  it("tells of a service that speaks no TLS, and of one that says nothing at all", async () => {
    const plain = await serve(createPlainServer((socket) => socket.end("SSH-2.0\r\n")))
    expect(await connector.connect("localhost", plain)).toMatchObject({ tls: { problem: "handshake" } })
    const silent = await serve(createPlainServer(() => {}))
    expect(await connector.connect("localhost", silent)).toMatchObject({
      tls: { problem: "handshake", code: "ETIMEDOUT" },
    })
  })

  it("tells of a port that nobody listens at", async () => {
    const port = await serve(createPlainServer())
    await Promise.all(servers.splice(0).map((server) => server.stop()))
    expect(await connector.connect("localhost", port)).toEqual({ tcp: { problem: "ECONNREFUSED" } })
  })
})

describe("createSystemResolver", () => {
  it("gives the addresses that the clients are given", async () => {
    const { addresses } = await createSystemResolver().resolve("localhost")
    expect(addresses.every((address) => /^127\.|^::1$/.test(address))).toBe(true)
    expect(addresses.length).toBeGreaterThan(0)
  })

  it("gives none, and a code, for a name that nobody knows", async () => {
    const { addresses, problem } = await createSystemResolver().resolve("no-such-vault.invalid")
    expect({ addresses, problem }).toEqual({ addresses: [], problem: expect.stringMatching(/^E/) })
  })
})
