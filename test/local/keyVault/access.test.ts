import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest"
import { newTokenAuthorityState, openTokenAuthority } from "../../../local/access/tokenAuthority.ts"
import { createThrottle } from "../../../local/keyVault/throttle.ts"
import { type AVault, aVault, refusalOf } from "./aVault.ts"

const secretActions = "Microsoft.KeyVault/vaults/secrets"
let sample: AVault
beforeAll(async () => {
  sample = await aVault({ throttle: false })
  await sample.secrets().setSecret("known", "v")
})
afterAll(() => sample.stop())
afterEach(() => {
  sample.faults.clear()
  sample.access.setFirewall({ keyvault: "open" })
  sample.access.setRoles({ user: ["*"], backup: [] })
})

describe("authentication", () => {
  it("challenges a request without a token", async () => {
    const response = await sample.ask("/secrets/known", { token: null })
    expect(response.headers.get("www-authenticate")).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${sample.authority.tenantId}", resource="https://vault.azure.net"`,
    )
    expect(await refusalOf(response)).toMatchObject({ status: 401, code: "Unauthorized" })
  })

  it("refuses tokens for another service, of another authority and of no form", async () => {
    const other = openTokenAuthority(newTokenAuthorityState())
    const tokens = [
      await sample.authority.issue("user", "blob"),
      await other.issue("user", "vault"),
      "nonsense",
    ]
    for (const token of tokens) {
      const response = await sample.ask("/secrets/known", { token })
      expect(response.status).toBe(401)
      expect(response.headers.get("www-authenticate")).toContain("vault.azure.net")
    }
  })
})

describe("the firewall", () => {
  it("refuses by address, before roles", async () => {
    sample.access.setFirewall({ keyvault: "closed" })
    const refusal = await refusalOf(await sample.ask("/secrets/known", { job: "backup" }))
    expect(refusal).toMatchObject({ status: 403, code: "Forbidden", inner: "ForbiddenByFirewall" })
    expect(refusal.message).toMatch(/^Client address is not authorized and caller is not a trusted service\./)
    expect(refusal.message).toContain("Client address: 127.0.0.1")
    expect(refusal.message).toContain(`appid=${sample.authority.callers.get("backup")!.clientId};oid=`)
    expect(refusal.message).toContain("Vault: sample;location=")
  })

  it("refuses what does not come through a private endpoint", async () => {
    sample.access.setFirewall({ keyvault: "private" })
    const refusal = await refusalOf(await sample.ask("/secrets/known"))
    expect(refusal).toMatchObject({ status: 403, inner: "ForbiddenByConnection" })
    expect(refusal.message).toContain("Public network access is disabled")
  })

  it("comes after the token", async () => {
    sample.access.setFirewall({ keyvault: "closed" })
    expect((await sample.ask("/secrets/known", { token: null })).status).toBe(401)
  })
})

describe("roles", () => {
  const body = JSON.stringify({ value: "v" })
  const policy = { x509_props: { subject: "CN=x" }, key_props: { kty: "EC" } }
  const operations = [
    { name: "get a secret", path: "/secrets/known", action: `${secretActions}/getSecret/action` },
    {
      name: "set a secret",
      path: "/secrets/x",
      method: "PUT",
      body,
      action: `${secretActions}/setSecret/action`,
    },
    { name: "list secrets", path: "/secrets", action: `${secretActions}/readMetadata/action` },
    {
      name: "list versions",
      path: "/secrets/known/versions",
      action: `${secretActions}/readMetadata/action`,
    },
    {
      name: "update",
      path: "/secrets/known",
      method: "PATCH",
      body: "{}",
      action: `${secretActions}/update/action`,
    },
    { name: "delete", path: "/secrets/x", method: "DELETE", action: `${secretActions}/delete` },
    {
      name: "recover",
      path: "/deletedsecrets/x/recover",
      method: "POST",
      action: `${secretActions}/recover/action`,
    },
    {
      name: "list certificates",
      path: "/certificates",
      action: "Microsoft.KeyVault/vaults/certificates/read",
    },
    {
      name: "create a certificate",
      path: "/certificates/c/create",
      method: "POST",
      body: JSON.stringify({ policy }),
      action: "Microsoft.KeyVault/vaults/certificates/create/action",
    },
    {
      name: "get a certificate",
      path: "/certificates/c",
      action: "Microsoft.KeyVault/vaults/certificates/read",
    },
    {
      name: "delete a certificate",
      path: "/certificates/c",
      method: "DELETE",
      action: "Microsoft.KeyVault/vaults/certificates/delete",
    },
    {
      name: "purge a certificate",
      path: "/deletedcertificates/c",
      method: "DELETE",
      action: "Microsoft.KeyVault/vaults/certificates/purge/action",
    },
  ]
  it.each(operations)("let $name with exactly its action", async ({ path, action, method = "GET", body }) => {
    const ask = () => sample.ask(path, { job: "backup", method, ...(body && { body }) })
    const others = operations.map((other) => other.action).filter((other) => other !== action)
    sample.access.setRoles({ backup: others })
    const refusal = await refusalOf(await ask())
    expect(refusal).toMatchObject({ status: 403, code: "Forbidden", inner: "ForbiddenByRbac" })
    expect(refusal.message).toContain(`Action: '${action}'`)
    sample.access.setRoles({ backup: [`${action} on sample`] })
    expect((await ask()).status).toBeLessThan(300)
  })

  it("name caller, action and resource in the refusal", async () => {
    const { message } = await refusalOf(await sample.ask("/secrets/known", { job: "backup" }))
    expect(message.split("\r\n")).toEqual([
      "Caller is not authorized to perform action on resource.",
      expect.stringContaining("observe propagation time."),
      expect.stringMatching(/^Caller: appid=.+;oid=.+;iss=https:\/\/sts\.windows\.net\/.+\/$/),
      "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
      expect.stringMatching(/^Resource: '\/subscriptions\/.+\/vaults\/sample\/secrets\/known'$/),
      "Assignment: (not found)",
      "DenyAssignmentId: null",
      "DecisionReason: null",
      "Vault: sample;location=westeurope",
    ])
  })

  it("hold for one vault when they name one", async () => {
    sample.access.setRoles({ backup: [`${secretActions}/getSecret/action on other`] })
    expect((await sample.ask("/secrets/known", { job: "backup" })).status).toBe(403)
  })

  it("are worded as access policies where those decide", async () => {
    const old = await aVault({ permissionModel: "accessPolicy" })
    try {
      const none = await refusalOf(await old.ask("/secrets/known", { job: "backup" }))
      old.access.setRoles({ backup: [`${secretActions}/setSecret/action`] })
      const some = await refusalOf(await old.ask("/secrets/known", { job: "backup" }))
      expect([none.inner, some.inner]).toEqual(["AccessDenied", "ForbiddenByPolicy"])
      expect(some.message).toMatch(
        /^The user, group or application 'appid=.+' does not have secrets get permission on key vault 'sample;location=/,
      )
    } finally {
      await old.stop()
    }
  })
})

describe("throttling", () => {
  it("refuses what is over the limit with 429 and says when to come back", async () => {
    const narrow = await aVault({ throttle: { transactions: 3, windowMs: 60_000, retryAfterSeconds: 9 } })
    try {
      const statuses: number[] = []
      for (let index = 0; index < 4; index += 1) statuses.push((await narrow.ask("/secrets")).status)
      expect(statuses).toEqual([200, 200, 200, 429])
      const response = await narrow.ask("/secrets")
      expect(response.headers.get("retry-after")).toBe("9")
      expect(await refusalOf(response)).toMatchObject({ code: "Throttled", inner: undefined })
    } finally {
      await narrow.stop()
    }
  })

  it("counts over a sliding window, and counts no refusals", () => {
    let now = 1_000_000
    const count = createThrottle({ transactions: 4, windowMs: 10_000 }, () => now)
    const admitted = () => {
      try {
        count()
        return true
      } catch {
        return false
      }
    }
    expect([admitted(), admitted()]).toEqual([true, true])
    now += 6000
    expect([admitted(), admitted(), admitted(), admitted()]).toEqual([true, true, false, false])
    now += 4000
    expect([admitted(), admitted(), admitted()]).toEqual([true, true, false])
    now += 3_600_000
    expect(Array.from({ length: 5 }, admitted)).toEqual([true, true, true, true, false])
  })

  it("allows 4,000 in ten seconds unless told otherwise", () => {
    const count = createThrottle({ transactions: 4000, windowMs: 10_000 }, () => 0)
    for (let index = 0; index < 4000; index += 1) count()
    expect(count).toThrow("too many requests")
  })
})

describe("faults", () => {
  it("answer any status with the codes and the header asked for, for one job, path and method", async () => {
    sample.faults.add({
      target: "keyvault",
      effect: "status",
      status: 403,
      code: "Forbidden",
      innerCode: "ForbiddenByFirewall",
      retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT",
      match: { job: "user", method: "GET", path: "/secrets/known" },
      count: 1,
    })
    expect((await sample.ask("/secrets")).status).toBe(200)
    const response = await sample.ask("/secrets/known")
    expect(response.headers.get("retry-after")).toBe("Wed, 21 Oct 2026 07:28:00 GMT")
    expect(await refusalOf(response)).toMatchObject({ status: 403, inner: "ForbiddenByFirewall" })
    expect((await sample.ask("/secrets/known")).status).toBe(200)
  })

  it.each([
    { status: 429, code: "Throttled" },
    { status: 503, code: "ServiceUnavailable" },
    { status: 500, code: "InternalServerError" },
  ])("have the service's code when they name none: $status", async ({ status, code }) => {
    sample.faults.add({ target: "keyvault", effect: "status", status, count: 1 })
    expect(await refusalOf(await sample.ask("/secrets"))).toMatchObject({ status, code, inner: undefined })
  })

  it("of 401 challenge again", async () => {
    sample.faults.add({ target: "keyvault", effect: "status", status: 401, count: 1 })
    expect((await sample.ask("/secrets")).headers.get("www-authenticate")).toContain(
      "login.microsoftonline.com",
    )
  })

  it("cut the connection, at once or within the answer", async () => {
    sample.faults.add({ target: "keyvault", effect: "cut", count: 1 })
    await expect(sample.ask("/secrets/known")).rejects.toThrow("fetch failed")
    sample.faults.add({ target: "keyvault", effect: "cut", afterBytes: 10, count: 1 })
    await expect(sample.ask("/secrets/known").then((response) => response.text())).rejects.toThrow(
      "terminated",
    )
  })

  it("delay, and hang until the client gives up", async () => {
    sample.faults.add({ target: "keyvault", effect: "delay", delayMs: 60, count: 1 })
    const started = performance.now()
    expect((await sample.ask("/secrets/known")).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(50)
    sample.faults.add({ target: "keyvault", effect: "hang", count: 1 })
    await expect(sample.ask("/secrets/known", { signal: AbortSignal.timeout(80) })).rejects.toThrow("timeout")
  })
})
