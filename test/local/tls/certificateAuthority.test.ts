import { X509Certificate } from "node:crypto"
import type { AddressInfo } from "node:net"
import { once } from "node:events"
import https from "node:https"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from "../../../local/tls/certificateAuthority.ts"

describe("createCertificateAuthority", () => {
  let authority: CertificateAuthority
  let server: https.Server
  let port: number

  beforeAll(async () => {
    authority = await createCertificateAuthority()
    server = https.createServer(await authority.issue(["kv.example.test"]), (_request, response) =>
      response.end("hello"),
    )
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const get = (servername: string, ca: string) =>
    new Promise<string>((resolve, reject) => {
      https
        .get({ host: "127.0.0.1", port, servername, ca, agent: false }, (response) => {
          response.setEncoding("utf8").on("data", resolve)
        })
        .on("error", reject)
    })

  it.each([
    { name: "an address when no name is sent", servername: "" },
    { name: "localhost", servername: "localhost" },
    { name: "a host asked for", servername: "kv.example.test" },
  ])("is trusted for $name", async ({ servername }) => {
    await expect(get(servername, authority.caPem)).resolves.toBe("hello")
  })

  it("is refused for a host that was not asked for", async () => {
    await expect(get("other.example.test", authority.caPem)).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    })
  })

  it("is refused by a client that trusts another authority", async () => {
    const other = await createCertificateAuthority()
    await expect(get("localhost", other.caPem)).rejects.toMatchObject({
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    })
  })

  it("names the loopback addresses of both kinds and a valid issuer", async () => {
    const { cert } = await authority.issue([])
    const leaf = new X509Certificate(cert)
    const ca = new X509Certificate(authority.caPem)
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1")
    expect(leaf.checkIP("::1")).toBe("::1")
    expect(leaf.checkHost("localhost")).toBe("localhost")
    expect(leaf.checkIssued(ca)).toBe(true)
    expect(leaf.verify(ca.publicKey)).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(ca.ca).toBe(true)
  })

  it("makes a fresh key for every certificate", async () => {
    const [first, second] = await Promise.all([authority.issue([]), authority.issue([])])
    expect(first.key).not.toBe(second.key)
  })
})
