import tls from "node:tls"
import { ManagedIdentityCredential } from "@azure/identity"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { newTokenAuthorityState, openTokenAuthority } from "../../../local/access/tokenAuthority.ts"
import { createFaultBook } from "../../../local/faults/faultBook.ts"
import {
  type RunningIdentityEndpoint,
  startIdentityEndpoint,
} from "../../../local/identity/startIdentityEndpoint.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

const authority = openTokenAuthority(newTokenAuthorityState())
const faults = createFaultBook()
const clientIdOf = (job: "backup" | "audit") => authority.callers.get(job)!.clientId
const lines: string[] = []
let endpoint: RunningIdentityEndpoint

beforeAll(async () => {
  endpoint = await startIdentityEndpoint({ authority, faults, log: (line) => lines.push(line) })
})
afterAll(() => endpoint.stop())
afterEach(() => {
  faults.clear()
  delete process.env["IDENTITY_ENDPOINT"]
  delete process.env["IDENTITY_HEADER"]
})

function credentialFor(clientId: string, at = endpoint) {
  process.env["IDENTITY_ENDPOINT"] = at.url
  process.env["IDENTITY_HEADER"] = at.header
  return new ManagedIdentityCredential({ clientId, retryOptions: { maxRetries: 0 } })
}

function ask(query: Record<string, string>, headers: Record<string, string> = {}) {
  const parameters = new URLSearchParams({ "api-version": "2019-08-01", ...query })
  return fetch(`${endpoint.url}?${parameters}`, {
    headers: { "X-IDENTITY-HEADER": endpoint.header, ...headers },
  })
}

describe("startIdentityEndpoint with ManagedIdentityCredential", () => {
  it.each([
    { name: "vault", scope: "https://vault.azure.net/.default", audience: "vault" },
    { name: "blob", scope: "https://storage.azure.com/.default", audience: "blob" },
    { name: "Service Bus", scope: "https://servicebus.azure.net//.default", audience: "serviceBus" },
    { name: "management", scope: "https://management.azure.com/.default", audience: "arm" },
  ] as const)("gives the job of the client id a token for the $name", async ({ scope, audience }) => {
    const token = await credentialFor(clientIdOf("audit")).getToken(scope)
    await expect(authority.check(token.token, audience)).resolves.toMatchObject({ caller: { job: "audit" } })
    const other = audience === "vault" ? "blob" : "vault"
    await expect(authority.check(token.token, other)).resolves.toEqual({ problem: "audience" })
    expect(token.expiresOnTimestamp - Date.now()).toBeGreaterThan(23 * 3_600_000)
    expect(token.expiresOnTimestamp - Date.now()).toBeLessThanOrEqual(24 * 3_600_000)
  })

  it("works over TLS too", async () => {
    const ca = await createCertificateAuthority()
    const before = tls.getCACertificates("default")
    const secure = await startIdentityEndpoint({ authority, faults, tls: await ca.issue([]) })
    try {
      tls.setDefaultCACertificates([...before, ca.caPem])
      const token = await credentialFor(clientIdOf("backup"), secure).getToken(
        "https://vault.azure.net/.default",
      )
      await expect(authority.check(token.token, "vault")).resolves.toMatchObject({
        caller: { job: "backup" },
      })
    } finally {
      tls.setDefaultCACertificates(before)
      await secure.stop()
    }
  })

  it("reports an identity that does not exist", async () => {
    const credential = credentialFor("00000000-0000-0000-0000-000000000001")
    await expect(credential.getToken("https://vault.azure.net/.default")).rejects.toThrow(
      /ManagedIdentityCredential/,
    )
  })
})

describe("startIdentityEndpoint", () => {
  const resource = "https://vault.azure.net"
  const cases = [
    {
      name: "a wrong header",
      query: { resource, client_id: clientIdOf("backup") },
      headers: { "X-IDENTITY-HEADER": "no" },
      status: 401,
    },
    {
      name: "an unknown client id",
      query: { resource, client_id: "nobody" },
      status: 400,
      says: /No User Assigned or Delegated Managed Identity found/,
    },
    { name: "no client id", query: { resource }, status: 400, says: new RegExp(clientIdOf("backup")) },
    {
      name: "an unknown resource",
      query: { resource: "https://other.test", client_id: clientIdOf("backup") },
      status: 400,
      says: /https:\/\/vault\.azure\.net/,
    },
    {
      name: "another api-version",
      query: { resource, client_id: clientIdOf("backup"), "api-version": "2017-09-01" },
      status: 400,
      says: /2019-08-01/,
    },
  ]
  it.each(cases)("answers $status to $name", async ({ query, headers, status, says }) => {
    const response = await ask(query as Record<string, string>, headers)
    expect(response.status).toBe(status)
    const body = (await response.json()) as { statusCode: number; message: string }
    expect(body.statusCode).toBe(status)
    expect(body.message).toMatch(says ?? /X-IDENTITY-HEADER/)
  })

  it("answers 401 without the header", async () => {
    const url = `${endpoint.url}?${new URLSearchParams({ "api-version": "2019-08-01", resource })}`
    expect((await fetch(url)).status).toBe(401)
  })

  it("gives expires_on as a string of seconds and echoes the resource", async () => {
    const response = await ask({ resource: `${resource}/`, client_id: clientIdOf("backup").toUpperCase() })
    const body = (await response.json()) as Record<string, string>
    expect(body).toMatchObject({ resource: `${resource}/`, token_type: "Bearer" })
    expect(body["expires_on"]).toMatch(/^\d{10}$/)
  })

  it("plays a fault for one job only, as often as it says", async () => {
    faults.add({
      target: "identity",
      effect: "status",
      status: 503,
      retryAfter: 7,
      match: { job: "backup" },
      count: 1,
    })
    const audit = await ask({ resource, client_id: clientIdOf("audit") })
    const first = await ask({ resource, client_id: clientIdOf("backup") })
    const second = await ask({ resource, client_id: clientIdOf("backup") })
    expect([audit.status, first.status, second.status]).toEqual([200, 503, 200])
    expect(first.headers.get("retry-after")).toBe("7")
  })

  it("cuts the connection when told to", async () => {
    faults.add({ target: "identity", effect: "cut", count: 1 })
    await expect(ask({ resource, client_id: clientIdOf("audit") })).rejects.toThrow("fetch failed")
  })

  it("never logs a token or the header", async () => {
    const response = await ask({ resource, client_id: "nobody" })
    expect(response.status).toBe(400)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.join("\n")).not.toContain(endpoint.header)
  })

  it("stops at once and twice, with a connection open", async () => {
    const own = await startIdentityEndpoint({ authority, faults })
    await fetch(own.url)
    const started = performance.now()
    await own.stop()
    await own.stop()
    expect(performance.now() - started).toBeLessThan(500)
    await expect(fetch(own.url)).rejects.toThrow("fetch failed")
  })
})
