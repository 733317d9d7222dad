import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { vaultReaderSuite } from "../suites/vaultReaderSuite.ts"
import { aKeyVault } from "./localAzure.ts"

vaultReaderSuite({
  name: "createAzureVaultReader",
  create: async () => {
    const vault = await aKeyVault()
    return { ...vault, reader: createAzureVaultReader(vault.options("backup")) }
  },
})

describe("createAzureVaultReader", () => {
  let vault: Awaited<ReturnType<typeof aKeyVault>>
  let object: ObjectVersion
  beforeAll(async () => {
    vault = await aKeyVault()
    object = await vault.set("db-password", { value: "hunter2" })
  })
  afterAll(() => vault.stop())
  afterEach(() => {
    vault.faults.clear()
    vault.access.setFirewall({ keyvault: "open" })
  })
  const read = (job: "backup" | "reconcile" = "backup", of = object) =>
    createAzureVaultReader(vault.options(job)).readSecret(of)

  it("needs one GET once the challenge is known, and keeps one client a vault", async () => {
    const reader = createAzureVaultReader(vault.options("backup"))
    await reader.readSecret(object)
    vault.faults.add({ target: "keyvault", effect: "delay", delayMs: 0 })
    await reader.readSecret(object)
    expect(vault.faults.list()[0]?.hits).toBe(1)
  })

  it.each([
    {
      name: "firewall",
      status: 403,
      code: "Forbidden",
      innerCode: "ForbiddenByFirewall",
      is: "ERR_VAULT_FIREWALL",
    },
    {
      name: "connection",
      status: 403,
      code: "Forbidden",
      innerCode: "ForbiddenByConnection",
      is: "ERR_VAULT_FIREWALL",
    },
    { name: "role", status: 403, code: "Forbidden", innerCode: "ForbiddenByRbac", is: "ERR_VAULT_FORBIDDEN" },
    { name: "policy", status: 403, code: "Forbidden", innerCode: "AccessDenied", is: "ERR_VAULT_FORBIDDEN" },
    {
      name: "disabled",
      status: 403,
      code: "Forbidden",
      innerCode: "SecretDisabled",
      is: "ERR_VAULT_VERSION_DISABLED",
    },
    { name: "absent", status: 404, code: "SecretNotFound", is: "ERR_VAULT_VERSION_ABSENT" },
    { name: "absent from something else", status: 404, code: "NotFound", is: "ERR_VAULT_RESPONSE_INVALID" },
    { name: "throttled", status: 429, code: "Throttled", is: "ERR_VAULT_THROTTLED" },
    { name: "broken", status: 500, code: "InternalServerError", is: "ERR_VAULT_UNAVAILABLE" },
  ])("tells $is when the answer is: $name, after one try", async ({ is, name: _name, ...answer }) => {
    const reader = createAzureVaultReader(vault.options("backup"))
    await reader.readSecret(object)
    vault.faults.add({ target: "keyvault", effect: "status", ...answer })
    await expect(reader.readSecret(object)).rejects.toMatchObject({ code: is })
    expect(vault.faults.list()[0]?.hits).toBe(1)
  })

  it("keeps what the service asked for, in seconds and as a date", async () => {
    vault.faults.add({
      target: "keyvault",
      effect: "status",
      status: 429,
      code: "Throttled",
      retryAfter: 9,
      count: 1,
    })
    await expect(read()).rejects.toMatchObject({ retryAfterMs: 9000 })
    const at = new Date(Date.now() + 60_000).toUTCString()
    vault.faults.add({ target: "keyvault", effect: "status", status: 429, code: "Throttled", retryAfter: at })
    const error: unknown = await read().catch((thrown: unknown) => thrown)
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(50_000)
  })

  it("gives a reading without a value when the answer has none", async () => {
    vault.faults.add({ target: "keyvault", effect: "status", status: 200 })
    const reading = await read()
    expect(reading.value).toBeUndefined()
    expect(reading.attributes.enabled).toBe(true)
  })

  it("tells a real firewall, a real missing role and a vault that is not there", async () => {
    await expect(read("reconcile")).rejects.toMatchObject({ code: "ERR_VAULT_FORBIDDEN" })
    for (const keyvault of ["closed", "private"] as const) {
      vault.access.setFirewall({ keyvault })
      await expect(read()).rejects.toMatchObject({ code: "ERR_VAULT_FIREWALL" })
    }
    const nowhere = { ...object, vault: "https://127.0.0.1:1", host: "127.0.0.1:1" }
    await expect(read("backup", nowhere)).rejects.toMatchObject({ code: "ERR_VAULT_UNAVAILABLE" })
  })

  it("reads after its connection broke once, and tells when it keeps breaking", async () => {
    vault.faults.add({ target: "keyvault", effect: "cut", count: 1 })
    await expect(read()).resolves.toMatchObject({ managed: false })
    vault.faults.add({ target: "keyvault", effect: "cut" })
    await expect(read()).rejects.toMatchObject({ code: "ERR_VAULT_UNAVAILABLE" })
  })

  it("tells an answer that breaks off, and quotes nothing of it", async () => {
    const reader = createAzureVaultReader(vault.options("backup"))
    await reader.readSecret(object)
    vault.faults.add({ target: "keyvault", effect: "cut", afterBytes: 40 })
    const error: unknown = await reader.readSecret(object).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "ERR_VAULT_UNAVAILABLE" })
    expect(JSON.stringify(error)).not.toContain("hunter2")
  })

  it("takes a token from nobody it does not know", async () => {
    const credential = {
      getToken: () =>
        Promise.reject(Object.assign(new Error("none"), { name: "CredentialUnavailableError" })),
    }
    const reader = createAzureVaultReader({ ...vault.options("backup"), credential })
    await expect(reader.readSecret(object)).rejects.toMatchObject({ code: "ERR_IDENTITY_UNAVAILABLE" })
  })

  it("refuses the challenge of a vault whose resource does not fit its host, when it checks", async () => {
    let tokens = 0
    const { credential, ...options } = vault.options("backup")
    const counted = { getToken: (scope: string | string[]) => (tokens++, credential.getToken(scope)) }
    const reader = createAzureVaultReader({ ...options, credential: counted, challengeCheck: true })
    await expect(reader.readSecret(object)).rejects.toMatchObject({ code: "ERR_VAULT_CHALLENGE" })
    expect(tokens).toBe(0)
  })

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort()
    await expect(
      createAzureVaultReader(vault.options("backup")).readSecret(object, { signal }),
    ).rejects.toThrow()
  })
})
