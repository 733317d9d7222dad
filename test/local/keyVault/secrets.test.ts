import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type AVault, aVault, collect, refusalOf } from "./aVault.ts"

let sample: AVault
beforeAll(async () => {
  sample = await aVault({ throttle: false })
})
afterAll(() => sample.stop())

const put = (name: string, body: unknown) =>
  sample.ask(`/secrets/${name}`, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json" },
  })

describe("secrets through the SDK client", () => {
  it("keeps value, content type, tags and attributes of every version", async () => {
    const client = sample.secrets()
    const notBefore = new Date("2020-01-01T00:00:00Z")
    const expiresOn = new Date("2021-01-01T00:00:00Z")
    const first = await client.setSecret("Db-Password", "one", {
      contentType: "text/plain",
      tags: { owner: "a" },
      notBefore,
      expiresOn,
    })
    const second = await client.setSecret("db-password", "two")
    expect(first.properties.version).toMatch(/^[0-9a-f]{32}$/)
    expect(first.properties.id).toBe(`${sample.vault.url}/secrets/Db-Password/${first.properties.version}`)
    const old = await client.getSecret("DB-PASSWORD", { version: first.properties.version! })
    expect(old).toMatchObject({
      value: "one",
      properties: {
        contentType: "text/plain",
        tags: { owner: "a" },
        notBefore,
        expiresOn,
        enabled: true,
        recoverableDays: 90,
        recoveryLevel: "Recoverable+Purgeable",
      },
    })
    const latest = await client.getSecret("db-password")
    expect(latest.value).toBe("two")
    expect(latest.properties.version).toBe(second.properties.version)
    expect(latest.properties.id).toContain("/secrets/Db-Password/")
    expect(latest.properties.createdOn!.getMilliseconds()).toBe(0)
  })

  it("updates attributes and tags without making a version", async () => {
    const client = sample.secrets()
    const { properties } = await client.setSecret("update-me", "v", { tags: { a: "1" }, contentType: "x" })
    const raised = sample.changes.length
    const updated = await client.updateSecretProperties("update-me", properties.version!, {
      tags: { b: "2" },
      expiresOn: new Date("2035-01-01T00:00:00Z"),
    })
    expect(updated).toMatchObject({ tags: { b: "2" }, contentType: "x", version: properties.version })
    const read = await client.getSecret("update-me")
    expect(read.properties.tags).toEqual({ b: "2" })
    expect(read.properties.expiresOn).toEqual(new Date("2035-01-01T00:00:00Z"))
    expect(sample.changes).toHaveLength(raised)
  })

  it("refuses the value of a disabled version, and gives it again when enabled", async () => {
    const client = sample.secrets()
    const { properties } = await client.setSecret("off", "v", { enabled: false })
    await expect(client.getSecret("off")).rejects.toMatchObject({
      statusCode: 403,
      code: "Forbidden",
      details: { error: { innerError: { code: "SecretDisabled" } } },
    })
    await client.updateSecretProperties("off", properties.version!, { enabled: true })
    await expect(client.getSecret("off")).resolves.toMatchObject({ value: "v" })
  })

  it("lists versions and secrets in pages of 25 that miss nothing", async () => {
    const client = sample.secrets()
    const made = new Set<string>()
    for (let index = 0; index < 60; index += 1) {
      const { properties } = await client.setSecret("many", `v${index}`)
      made.add(properties.version!)
    }
    const pages = await collect(client.listPropertiesOfSecretVersions("many").byPage())
    expect(pages.map((page) => page.length)).toEqual([25, 25, 10])
    expect(new Set(pages.flat().map(({ version }) => version))).toEqual(made)
    expect(pages.flat().map(({ version }) => version)).not.toEqual([...made])

    await Promise.all(Array.from({ length: 30 }, (_, index) => client.setSecret(`page-${index}`, "v")))
    const names = (await collect(client.listPropertiesOfSecrets())).map(({ name }) => name)
    expect(names.filter((name) => name.startsWith("page-"))).toHaveLength(30)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain("many")
  })

  it("soft-deletes, refuses the name, recovers all versions, and purges", async () => {
    const client = sample.secrets()
    const first = await client.setSecret("gone", "one")
    await client.setSecret("gone", "two")
    const deleted = await (await client.beginDeleteSecret("gone")).pollUntilDone()
    expect(deleted).toMatchObject({ name: "gone", recoveryId: `${sample.vault.url}/deletedsecrets/gone` })
    expect(deleted.scheduledPurgeDate!.getTime() - deleted.deletedOn!.getTime()).toBe(90 * 86_400_000)
    await expect(client.getSecret("gone")).rejects.toMatchObject({ statusCode: 404, code: "SecretNotFound" })
    await expect(client.setSecret("GONE", "three")).rejects.toMatchObject({
      statusCode: 409,
      code: "Conflict",
      details: { error: { innerError: { code: "ObjectIsDeletedButRecoverable" } } },
    })
    const listed = await collect(client.listDeletedSecrets())
    expect(listed.map(({ name }) => name)).toContain("gone")
    await (await client.beginRecoverDeletedSecret("gone")).pollUntilDone()
    await expect(client.getSecret("gone", { version: first.properties.version! })).resolves.toMatchObject({
      value: "one",
    })
    await (await client.beginDeleteSecret("gone")).pollUntilDone()
    await client.purgeDeletedSecret("gone")
    await expect(client.getDeletedSecret("gone")).rejects.toMatchObject({ statusCode: 404 })
    await client.setSecret("gone", "four")
    expect(await collect(client.listPropertiesOfSecretVersions("gone"))).toHaveLength(1)
  })
})

describe("secret values", () => {
  it.each([
    { name: "NUL", json: String.raw`"a\u0000b"` },
    { name: "a byte order mark", json: '"\uFEFFbom\uFEFF"' },
    { name: "a lone surrogate in an escape", json: String.raw`"x\ud800y"` },
    { name: "an emoji, a line separator and a combining mark", json: '"\u{1F511}\u2028e\u0301"' },
    { name: "the empty string", json: '""' },
    { name: "line ends and quotes", json: String.raw`"\r\n\t\"\\ "` },
  ])("come back to the code unit: $name", async ({ json }) => {
    const set = await put("exact", `{"value":${json}}`)
    expect(set.status).toBe(200)
    const read = (await (await sample.ask("/secrets/exact")).json()) as { value: string }
    expect(read.value).toBe(JSON.parse(json))
  })

  it("may have 25,600 bytes of UTF-8 and not one more", async () => {
    expect((await put("large", { value: "é".repeat(12_800) })).status).toBe(200)
    const refusal = await refusalOf(await put("large", { value: `${"é".repeat(12_800)}x` }))
    expect(refusal).toMatchObject({ status: 400, code: "BadParameter" })
  })

  it("are answered without one while a fault of status 200 is in force", async () => {
    await put("hollow", { value: "v" })
    sample.faults.add({
      target: "keyvault",
      effect: "status",
      status: 200,
      match: { path: "/secrets/hollow" },
      count: 1,
    })
    const hollow = (await (await sample.ask("/secrets/hollow")).json()) as Record<string, unknown>
    expect(hollow).not.toHaveProperty("value")
    expect(hollow).toHaveProperty("attributes")
    await expect((await sample.ask("/secrets/hollow")).json()).resolves.toMatchObject({ value: "v" })
  })
})

describe("refused arguments", () => {
  const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, "v"]))
  it.each([
    { name: "a value that is no string", body: { value: 5 } },
    { name: "no value", body: {} },
    { name: "16 tags", body: { value: "v", tags: tags(16) } },
    { name: "a tag of 513 characters", body: { value: "v", tags: { t: "x".repeat(513) } } },
    { name: "a content type of 256 characters", body: { value: "v", contentType: "x".repeat(256) } },
    { name: "an expiry before the start", body: { value: "v", attributes: { nbf: 20, exp: 10 } } },
    { name: "no JSON", body: "{" },
  ])("are answered 400 BadParameter: $name", async ({ body }) => {
    expect(await refusalOf(await put("refused", body))).toMatchObject({ status: 400, code: "BadParameter" })
  })

  it("accepts what is just inside the limits", async () => {
    const body = { value: "v", tags: { ...tags(14), t: "x".repeat(512) }, contentType: "x".repeat(255) }
    expect((await put("inside", body)).status).toBe(200)
  })

  it.each([
    { name: "an underscore in the name", path: "/secrets/a_b" },
    { name: "a name of 128 characters", path: `/secrets/${"a".repeat(128)}` },
    { name: "a version that is none", path: "/secrets/a/latest" },
    { name: "broken percent encoding", path: "/secrets/%E0%A4%A" },
    { name: "no api-version", path: "/secrets/a?x=1" },
    { name: "an unknown api-version", path: "/secrets/a?api-version=1.0" },
    { name: "a page of 26", path: "/secrets?api-version=7.4&maxresults=26" },
    { name: "a page token of somebody else", path: "/secrets?api-version=7.4&$skiptoken=abc" },
  ])("are answered 400 BadParameter: $name", async ({ path }) => {
    expect(await refusalOf(await sample.ask(path))).toMatchObject({ status: 400, code: "BadParameter" })
  })

  it("reads an api-version whose name is percent-encoded", async () => {
    await put("encoded", { value: "v" })
    expect((await sample.ask("/secrets/encoded/?api%2Dversion=2026-04-01")).status).toBe(200)
  })

  it("answers an unknown name and an unknown version alike", async () => {
    await put("known", { value: "v" })
    const version = "0".repeat(32)
    const unknownName = await refusalOf(await sample.ask(`/secrets/unknown/${version}`))
    const unknownVersion = await refusalOf(await sample.ask(`/secrets/known/${version}`))
    expect(unknownName).toMatchObject({ status: 404, code: "SecretNotFound" })
    expect(unknownVersion).toMatchObject({ status: 404, code: "SecretNotFound" })
    expect(unknownVersion.message).toContain(`known/${version}`)
  })
})

describe("changes", () => {
  it("are told for each new version, to the millisecond", async () => {
    const from = sample.changes.length
    const before = Date.now()
    const response = await put("Told", { value: "v", attributes: { nbf: 1, exp: 2_000_000_000 } })
    const { id } = (await response.json()) as { id: string }
    const change = sample.changes[from]!
    expect(sample.changes).toHaveLength(from + 1)
    expect(change).toMatchObject({
      eventType: "SecretNewVersionCreated",
      topic: sample.vault.resourceId,
      id,
      vaultName: "sample",
      objectType: "Secret",
      objectName: "Told",
      version: id.slice(-32),
      notBefore: 1,
      expires: 2_000_000_000,
    })
    expect(change.changedAt.getTime()).toBeGreaterThanOrEqual(before)
    expect(change.changedAt.getTime()).toBeLessThanOrEqual(Date.now())
  })

  it("do no harm when the listener fails", async () => {
    const failing = await aVault({ onChange: () => Promise.reject(new RangeError("v")) })
    try {
      await failing.secrets().setSecret("a", "v")
      expect(failing.lines).toEqual(["keyvault sample: a listener failed: RangeError"])
    } finally {
      await failing.stop()
    }
  })

  it("of expiry name the current version", async () => {
    await put("expiring", { value: "one" })
    const { id } = (await (await put("expiring", { value: "two" })).json()) as { id: string }
    sample.vault.raiseExpiry("secret", "EXPIRING", "NearExpiry")
    sample.vault.raiseExpiry("secret", "expiring", "Expired")
    expect(sample.changes.slice(-2)).toMatchObject([
      { eventType: "SecretNearExpiry", id },
      { eventType: "SecretExpired", id },
    ])
    expect(() => sample.vault.raiseExpiry("secret", "nobody", "Expired")).toThrow(TypeError)
  })
})
