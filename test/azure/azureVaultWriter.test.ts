import { inspect } from "node:util"
import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { readVersion } from "../../shared/backup/readVersion.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { createAzureVaultWriter } from "../../shared/vault/azureVaultWriter.ts"
import { aNewCertificate, aNewSecret, vaultWriterSuite } from "../suites/vaultWriterSuite.ts"
import { aKeyVault, credentialOf } from "./localAzure.ts"

async function aTarget() {
  const vault = await aKeyVault()
  const httpClient = createAzureHttpClient({ resendsPuts: false })
  const clientOptions = { disableChallengeResourceVerification: true }
  const person = credentialOf("user", "vault")
  const secrets = new SecretClient(vault.vault, person, clientOptions)
  const certificates = new CertificateClient(vault.vault, person, clientOptions)
  const options = { ...vault.options("restore"), httpClient }
  return {
    ...vault,
    secrets,
    writerOptions: options,
    writer: createAzureVaultWriter(options),
    reader: createAzureVaultReader(vault.options("restore")),
    softDelete: async (kind: "secret" | "certificate", name: string) => {
      await (kind === "secret" ? secrets.beginDeleteSecret(name) : certificates.beginDeleteCertificate(name))
    },
    stop: async () => {
      await httpClient.close()
      await vault.stop()
    },
  }
}

vaultWriterSuite({ name: "createAzureVaultWriter", create: aTarget })

describe("createAzureVaultWriter", () => {
  let target: Awaited<ReturnType<typeof aTarget>>
  beforeAll(async () => {
    target = await aTarget()
  })
  afterAll(() => target.stop())
  afterEach(() => {
    target.faults.clear()
    target.access.setFirewall({ keyvault: "open" })
  })
  const versionsOf = async (name: string) => {
    let count = 0
    for await (const _ of target.secrets.listPropertiesOfSecretVersions(name)) count += 1
    return count
  }

  it.each([
    { name: "before it is answered", fault: {} },
    { name: "within the answer", fault: { afterBytes: 40 } },
  ])("makes one version at most when the connection breaks $name", async ({ fault }) => {
    await target.writer.setSecret(target.vault, "warm", aNewSecret())
    target.faults.add({ target: "keyvault", match: { method: "PUT" }, effect: "cut", count: 1, ...fault })
    const name = `cut-${String("afterBytes" in fault)}`
    await expect(target.writer.setSecret(target.vault, name, aNewSecret())).rejects.toMatchObject({
      code: "ERR_VAULT_UNAVAILABLE",
    })
    const state = await target.writer.look(target.vault, name)
    expect(state.state === "free" ? 0 : await versionsOf(name)).toBeLessThanOrEqual(1)
  })

  it("would make two with a client that sends a PUT again", async () => {
    const again = createAzureVaultWriter(target.options("restore"))
    await again.setSecret(target.vault, "warm", aNewSecret())
    target.faults.add({
      target: "keyvault",
      match: { method: "PUT" },
      effect: "cut",
      afterBytes: 0,
      count: 1,
    })
    await again.setSecret(target.vault, "sent-again", aNewSecret())
    expect(await versionsOf("sent-again")).toBe(2)
  })

  it("leaves a policy that the vault does not take to the vault, and says so", async () => {
    target.faults.add({
      target: "keyvault",
      match: { path: "/certificates/issuer/import" },
      effect: "status",
      status: 400,
      code: "BadParameter",
      count: 1,
    })
    const certificate = aNewCertificate({ policy: { issuer: { name: "an-issuer-that-is-elsewhere" } } })
    const made = await target.writer.importCertificate(target.vault, "issuer", certificate)
    expect(made.isPolicyKept).toBe(false)
    const { certificate: read, privateKey } = await readVersion(made.object, target.reader)
    expect([read?.policy?.["issuer"], privateKey]).toEqual([{ name: "Unknown" }, "present"])
  })

  it("tells what the vault takes under no policy", async () => {
    const certificate = { ...aNewCertificate(), material: aNewSecret({ value: "no PFX" }).value }
    const error: unknown = await target.writer
      .importCertificate(target.vault, "broken", certificate)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "ERR_UNKNOWN" })
    expect(JSON.stringify(error)).not.toContain("no PFX")
    await expect(target.writer.look(target.vault, "broken")).resolves.toEqual({ state: "free" })
  })

  it("looks with the rights of restore, and takes a vault that hides its deleted objects for free", async () => {
    const job = target.access.roles()["restore"] ?? []
    await target.writer.setSecret(target.vault, "hidden", aNewSecret())
    await target.softDelete("secret", "hidden")
    target.access.setRoles({
      restore: job.filter((action) => !/readMetadata|certificates\/read/.test(action)),
    })
    await expect(target.writer.look(target.vault, "hidden")).resolves.toEqual({ state: "free" })
    await expect(target.writer.setSecret(target.vault, "hidden", aNewSecret())).rejects.toMatchObject({
      code: "ERR_RESTORE_TARGET_DELETED",
    })
    target.access.setRoles({ restore: job })
  })

  it("tells a name that is being deleted", async () => {
    target.faults.add({
      target: "keyvault",
      match: { method: "PUT" },
      effect: "status",
      status: 409,
      code: "Conflict",
      innerCode: "ObjectIsBeingDeleted",
      count: 1,
    })
    await expect(target.writer.setSecret(target.vault, "going", aNewSecret())).rejects.toMatchObject({
      code: "ERR_RESTORE_TARGET_DELETED",
      details: { vault: target.vault, name: "going" },
    })
  })

  it("tells a broken connection, a missing role, a firewall and throttling, and keeps no value", async () => {
    const write = (job: "restore" | "verify") =>
      createAzureVaultWriter({ ...target.writerOptions, ...target.options(job) })
        .setSecret(target.vault, "any", aNewSecret({ value: "hunter2-hunter2" }))
        .catch((thrown: unknown) => thrown)
    const errors = [await write("verify")]
    expect(errors[0]).toMatchObject({ code: "ERR_VAULT_FORBIDDEN" })
    target.faults.add({
      target: "keyvault",
      effect: "status",
      status: 429,
      code: "Throttled",
      retryAfter: 7,
      count: 1,
    })
    errors.push(await write("restore"))
    expect(errors[1]).toMatchObject({ code: "ERR_VAULT_THROTTLED", retryAfterMs: 7000 })
    target.access.setFirewall({ keyvault: "closed" })
    errors.push(await write("restore"))
    expect(errors[2]).toMatchObject({ code: "ERR_VAULT_FIREWALL" })
    target.access.setFirewall({ keyvault: "open" })
    target.faults.add({ target: "keyvault", match: { method: "PUT" }, effect: "cut", afterBytes: 0 })
    errors.push(await write("restore"))
    expect(errors[3]).toMatchObject({ code: "ERR_VAULT_UNAVAILABLE" })
    expect(inspect(errors, { depth: Infinity })).not.toContain("hunter2")
  })
})
