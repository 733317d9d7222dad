import { KeyClient } from "@azure/keyvault-keys"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createAzureKeyUnwrapper, isKeyUrl } from "../../shared/record/azureKeyUnwrapper.ts"
import type { KeyUnwrapper } from "../../shared/record/keyUnwrapper.ts"
import { importRecipients, type PublicJwk, type Recipient } from "../../shared/record/recipients.ts"
import { sealRecord } from "../../shared/record/sealRecord.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { formatRecordName, sealNameOf } from "../../shared/store/blobName.ts"
import { anObject } from "../support/builders.ts"
import { recipientPair } from "../support/recipientPair.ts"
import { aKeyVault, credentialOf } from "./localAzure.ts"

const plain = Buffer.from('{"any":"record"}')
const blob = formatRecordName(anObject())
let vault: Awaited<ReturnType<typeof aKeyVault>>
let keys: KeyClient
let recipient: Recipient

async function newRecipient(name: string, expiresOn?: Date): Promise<Recipient> {
  const made = await keys.createRsaKey(name, { keySize: 2048, ...(expiresOn ? { expiresOn } : {}) })
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64url")
  const jwk: PublicJwk = { kty: "RSA", kid: made.id ?? "", n: text(made.key?.n), e: text(made.key?.e) }
  const [imported] = await importRecipients([jwk])
  return imported!
}

beforeAll(async () => {
  vault = await aKeyVault()
  const options = { disableChallengeResourceVerification: true }
  keys = new KeyClient(vault.vault, credentialOf("user", "vault"), options)
  recipient = await newRecipient("backup")
})
afterAll(() => vault.stop())
afterEach(() => {
  vault.faults.clear()
  vault.access.setFirewall({ keyvault: "open" })
})

const unwrapperOf = (kid: string, job: "restore" | "verify" | "reconcile" = "restore"): KeyUnwrapper =>
  createAzureKeyUnwrapper(kid, vault.options(job))
const seal = (...to: Recipient[]) => sealRecord(plain, sealNameOf(blob), to)
const open = async (unwrapper: KeyUnwrapper, to: readonly Recipient[] = [recipient]) =>
  unsealRecord(await seal(...to), blob, [unwrapper])

describe("createAzureKeyUnwrapper", () => {
  it.each(["restore", "verify"] as const)(
    "opens a record with a key that stays in its vault, as %s",
    async (job) => {
      await expect(open(unwrapperOf(recipient.kid, job))).resolves.toEqual(new Uint8Array(plain))
    },
  )

  it("opens a record that has other recipients too, with one call to the vault", async () => {
    const other = await recipientPair("EC", "offline")
    const unwrapper = unwrapperOf(recipient.kid)
    await open(unwrapper)
    vault.faults.add({ target: "keyvault", effect: "delay", delayMs: 0 })
    await expect(open(unwrapper, [other.recipient, recipient])).resolves.toEqual(new Uint8Array(plain))
    expect(vault.faults.list()[0]?.hits).toBe(1)
  })

  it("opens a record years later, when its key has expired", async () => {
    const expired = await newRecipient("expired", new Date(Date.now() - 60_000))
    await expect(open(unwrapperOf(expired.kid), [expired])).resolves.toEqual(new Uint8Array(plain))
  })

  it("tells a record whose content key was wrapped for another key", async () => {
    const other = await newRecipient("other")
    const forged = { ...other, kid: recipient.kid }
    await expect(open(unwrapperOf(recipient.kid), [forged])).rejects.toMatchObject({
      code: "ERR_SEAL_INTEGRITY",
    })
  })

  it("tells a record that was altered, although its content key is right", async () => {
    const sealed = JSON.parse(Buffer.from(await seal(recipient)).toString()) as { ciphertext: string }
    const first = sealed.ciphertext.startsWith("A") ? "B" : "A"
    const altered = { ...sealed, ciphertext: first + sealed.ciphertext.slice(1) }
    const opening = unsealRecord(Buffer.from(JSON.stringify(altered)), blob, [unwrapperOf(recipient.kid)])
    await expect(opening).rejects.toMatchObject({ code: "ERR_SEAL_INTEGRITY" })
  })

  it("says that a key is disabled, or gone, and what to do", async () => {
    const disabled = await newRecipient("disabled")
    await keys.updateKeyProperties("disabled", disabled.kid.split("/").at(-1)!, { enabled: false })
    const gone = { ...recipient, kid: recipient.kid.replace("/backup/", "/gone/") }
    for (const each of [disabled, gone]) {
      await expect(open(unwrapperOf(each.kid), [each])).rejects.toMatchObject({
        code: "ERR_SEAL_NO_KEY",
        hint: expect.stringMatching(/^Enable or recover/) as string,
      })
    }
  })

  it("tells a missing role, a firewall, throttling and a vault that is not there", async () => {
    await expect(open(unwrapperOf(recipient.kid, "reconcile"))).rejects.toMatchObject({
      code: "ERR_VAULT_FORBIDDEN",
    })
    vault.faults.add({ target: "keyvault", effect: "status", status: 429, code: "Throttled", count: 1 })
    await expect(open(unwrapperOf(recipient.kid))).rejects.toMatchObject({ code: "ERR_VAULT_THROTTLED" })
    vault.access.setFirewall({ keyvault: "closed" })
    await expect(open(unwrapperOf(recipient.kid))).rejects.toMatchObject({ code: "ERR_VAULT_FIREWALL" })
    const nowhere = { ...recipient, kid: recipient.kid.replace(vault.vault, "https://127.0.0.1:1") }
    await expect(open(unwrapperOf(nowhere.kid), [nowhere])).rejects.toMatchObject({
      code: "ERR_VAULT_UNAVAILABLE",
    })
  })

  it("asks no vault that only the record names", async () => {
    const evil = { ...recipient, kid: recipient.kid.replace(vault.vault, "https://evil.example") }
    vault.faults.add({ target: "keyvault", effect: "delay", delayMs: 0 })
    await expect(open(unwrapperOf(recipient.kid), [evil])).rejects.toMatchObject({ code: "ERR_SEAL_NO_KEY" })
    expect(vault.faults.list()[0]?.hits).toBe(0)
  })
})

describe("isKeyUrl", () => {
  it("tells a key in a vault from the name of a key in a file", () => {
    expect(isKeyUrl("https://kv.vault.azure.net/keys/backup/0123456789abcdef0123456789abcdef")).toBe(true)
    for (const kid of ["recovery-1", "https://kv.vault.azure.net/keys/backup", "http://kv/keys/a/b"]) {
      expect(isKeyUrl(kid)).toBe(false)
      expect(() => createAzureKeyUnwrapper(kid, vault.options("restore"))).toThrow(/full URL with version/)
    }
  })
})
