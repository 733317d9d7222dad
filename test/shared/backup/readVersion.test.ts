import { describe, expect, it } from "vitest"
import { readVersion } from "../../../shared/backup/readVersion.ts"
import { formatVersionUrl, type ObjectVersion } from "../../../shared/change/objectVersion.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import type { VaultReader } from "../../../shared/vault/vaultReader.ts"
import { aChain, certificateReadings, materialOf, newKey } from "../../support/aChain.ts"
import { anObject, aReading, host, vault as vaultUrl, versionId } from "../../support/builders.ts"

const chain = aChain()
const certificate = anObject({ kind: "certificate", name: "tls" })
const secret = anObject({ kind: "secret", name: "tls" })

/** A vault with one certificate, and which GETs it was asked for, in their order. */
function aVault(given: Parameters<typeof certificateReadings>[1] = {}, of = secret) {
  const memory = createMemoryVault()
  const readings = certificateReadings(chain, given)
  memory.setCertificate(certificate, readings.certificate)
  memory.set(of, readings.secret)
  const gets: string[] = []
  const counted =
    <T>(read: (object: ObjectVersion) => Promise<T>) =>
    (object: ObjectVersion) => {
      gets.push(formatVersionUrl(object).slice(vaultUrl.length))
      return read(object)
    }
  const vault: VaultReader = {
    readSecret: counted(memory.readSecret),
    readCertificate: counted(memory.readCertificate),
  }
  return { memory, vault, gets }
}

const path = (collection: string) => `/${collection}/tls/${secret.version}`

describe("readVersion", () => {
  it("reads a secret with one GET", async () => {
    const { memory, vault, gets } = aVault()
    memory.set(anObject(), aReading({ value: "x" }))
    const reading = await readVersion(anObject(), vault)
    expect(reading).toMatchObject({ object: anObject(), secret: { managed: false } })
    expect(Object.keys(reading)).toEqual(["object", "secret"])
    expect(gets).toEqual([`/secrets/db-password/${versionId(1)}`])
  })

  it("reads a certificate with two GETs: its own, then the secret that its sid names", async () => {
    const { vault, gets } = aVault()
    const reading = await readVersion(certificate, vault)
    expect(reading).toMatchObject({ object: certificate, privateKey: "present" })
    expect(gets).toEqual([path("certificates"), path("secrets")])
  })

  it("leads from the secret of a certificate to the certificate, with two GETs", async () => {
    const { vault, gets } = aVault()
    const reading = await readVersion(secret, vault)
    expect(reading).toMatchObject({ object: certificate, privateKey: "present" })
    expect(gets).toEqual([path("secrets"), path("certificates")])
  })

  it("believes the sid, and assumes no version", async () => {
    const elsewhere = { ...secret, version: versionId(7) }
    const { vault, gets } = aVault({ secretId: formatVersionUrl(elsewhere) }, elsewhere)
    await expect(readVersion(certificate, vault)).resolves.toMatchObject({ privateKey: "present" })
    expect(gets[1]).toBe(`/secrets/tls/${versionId(7)}`)
  })

  it("tells that the value has no private key", async () => {
    const { vault } = aVault({ exportable: false })
    await expect(readVersion(certificate, vault)).resolves.toMatchObject({ privateKey: "absentByPolicy" })
  })

  it("says nothing of the private key when the secret has no value", async () => {
    const { memory, vault } = aVault()
    memory.set(secret, { managed: true })
    const reading = await readVersion(certificate, vault)
    expect(reading.secret.value).toBeUndefined()
    expect(reading).not.toHaveProperty("privateKey")
  })

  it.each([
    { name: "another vault", sid: `https://evil.example/secrets/tls/${versionId(1)}` },
    {
      name: "another vault whose name begins alike",
      sid: `https://${host}.evil.example/secrets/tls/${versionId(1)}`,
    },
    { name: "another secret of the vault", sid: `${vaultUrl}/secrets/db-password/${versionId(1)}` },
    { name: "a key", sid: `${vaultUrl}/keys/tls/${versionId(1)}` },
    { name: "itself", sid: formatVersionUrl(certificate) },
    { name: "no version", sid: `${vaultUrl}/secrets/tls` },
    { name: "a path that climbs", sid: `${vaultUrl}/secrets/tls/../db-password/${versionId(1)}` },
    { name: "nothing", sid: "" },
  ])("asks for no secret where the sid names $name", async ({ sid }) => {
    const { vault, gets } = aVault({ secretId: sid })
    await expect(readVersion(certificate, vault)).rejects.toMatchObject({
      code: "ERR_VAULT_RESPONSE_INVALID",
      message: expect.stringContaining("sid"),
      details: { object: formatVersionUrl(certificate) },
    })
    expect(gets).toEqual([path("certificates")])
  })

  it("refuses a certificate whose sid is not the secret that led to it", async () => {
    const { vault } = aVault({ secretId: formatVersionUrl({ ...secret, version: versionId(2) }) })
    await expect(readVersion(secret, vault)).rejects.toMatchObject({ code: "ERR_VAULT_RESPONSE_INVALID" })
  })

  it.each([
    { name: "the key of another certificate", value: materialOf(newKey(), chain.certificates) },
    { name: "another certificate", value: materialOf(undefined, aChain().certificates) },
  ])("refuses a secret that holds $name, and quotes nothing", async ({ value }) => {
    const { vault } = aVault({ value })
    for (const asked of [certificate, secret]) {
      const error: unknown = await readVersion(asked, vault).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: "ERR_VAULT_RESPONSE_INVALID" })
      expect(JSON.stringify(error) + String(error)).not.toContain(value.slice(40, 60))
    }
  })
})
