import { createHash } from "node:crypto"
import { GeneralEncrypt } from "jose"
import { describe, expect, it } from "vitest"
import { ServiceError } from "../../../shared/errors.ts"
import { sealRecord } from "../../../shared/record/sealRecord.ts"
import { importOpeningKeys, unsealRecord } from "../../../shared/record/unsealRecord.ts"
import { formatRecordName, sealNameOf } from "../../../shared/store/blobName.ts"
import { anObject } from "../../support/builders.ts"
import { recipientPair } from "../../support/recipientPair.ts"

interface Sealed {
  protected: string
  iv: string
  ciphertext: string
  tag: string
  recipients: { header: Record<string, unknown>; encrypted_key: string }[]
}

const ec = await recipientPair("EC", "recovery-1")
const ec2 = await recipientPair("EC", "recovery-2")
const rsa = await recipientPair("RSA", "https://kv-keys.vault.azure.net/keys/backup/0123456789abcdef")
const stranger = await recipientPair("EC", "stranger")
const blob = formatRecordName(anObject())
const text = '{"value":"hunter2"}'
const plaintext = Buffer.from(text)

const read = (sealed: Uint8Array) => JSON.parse(Buffer.from(sealed).toString("utf8")) as Sealed
const write = (sealed: unknown) => Buffer.from(JSON.stringify(sealed), "utf8")
const headerOf = ({ protected: header }: Sealed) =>
  JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as Record<string, unknown>
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const sealFor = (...pairs: (typeof ec)[]) =>
  sealRecord(
    plaintext,
    sealNameOf(blob),
    pairs.map(({ recipient }) => recipient),
  )

const sample = read(await sealFor(rsa, ec))

describe("sealRecord", () => {
  it.each([
    { name: "one EC key", pairs: [ec] },
    { name: "one RSA key", pairs: [rsa] },
    { name: "several keys of both types", pairs: [rsa, ec, ec2] },
  ])("lets each recipient open alone: $name", async ({ pairs }) => {
    const sealed = await sealFor(...pairs)
    for (const { openingKey } of pairs) {
      const opened = await unsealRecord(sealed, blob, [openingKey], digest(sealed))
      expect(Buffer.from(opened).toString("utf8")).toBe(text)
    }
    expect(Buffer.from(sealed).toString("utf8")).not.toContain("hunter2")
  })

  it.each([
    { name: "several keys", pairs: [rsa, ec], keys: ["enc", "kvb"] },
    { name: "one RSA key", pairs: [rsa], keys: ["enc", "kvb"] },
    { name: "one EC key, for which the library adds epk", pairs: [ec], keys: ["enc", "epk", "kvb"] },
  ])("protects exactly enc and kvb: $name", async ({ pairs, keys }) => {
    const header = headerOf(read(await sealFor(...pairs)))
    expect(Object.keys(header).sort()).toEqual(keys)
    expect(header).toMatchObject({ enc: "A256GCM", kvb: blob.replace(/\.jwe\.json$/, "") })
  })

  it("puts alg and kid into each recipient's header, in their order, and nothing else that names a key", async () => {
    const sealed = read(await sealFor(rsa, ec))
    expect(Object.keys(sealed).sort()).toEqual(["ciphertext", "iv", "protected", "recipients", "tag"])
    expect(sealed.recipients.map(({ header }) => [header["alg"], header["kid"]])).toEqual([
      ["RSA-OAEP-256", rsa.publicJwk.kid],
      ["ECDH-ES+A256KW", "recovery-1"],
    ])
    expect(Object.keys(sealed.recipients[0]!.header).sort()).toEqual(["alg", "kid"])
    expect(Object.keys(sealed.recipients[1]!.header).sort()).toEqual(["alg", "epk", "kid"])
  })

  it("never gives the same bytes twice", async () => {
    const [first, second] = [read(await sealFor(ec)), read(await sealFor(ec))]
    expect(first.iv).not.toBe(second.iv)
    expect(first.ciphertext).not.toBe(second.ciphertext)
    expect(first.recipients[0]!.encrypted_key).not.toBe(second.recipients[0]!.encrypted_key)
  })

  it("refuses to seal for nobody", async () => {
    await expect(sealFor()).rejects.toThrow(TypeError)
  })
})

describe("unsealRecord", () => {
  it("tries the key that is a recipient, whatever else is at hand", async () => {
    const sealed = await sealFor(rsa, ec)
    const opened = await unsealRecord(sealed, blob, [stranger.openingKey, ec.openingKey])
    expect(Buffer.from(opened).toString("utf8")).toBe(text)
  })

  it("opens with the next key when the first one cannot be used, and else says why the first could not", async () => {
    const disabled = {
      kid: rsa.recipient.kid,
      unwrap: () => Promise.reject(new ServiceError("ERR_VAULT_UNAVAILABLE", "away")),
    }
    const sealed = await sealFor(rsa, ec)
    const opened = await unsealRecord(sealed, blob, [disabled, ec.openingKey])
    expect(Buffer.from(opened).toString("utf8")).toBe(text)
    await expect(unsealRecord(sealed, blob, [disabled])).rejects.toMatchObject({
      code: "ERR_VAULT_UNAVAILABLE",
    })
  })

  it("says that no key fits, by the blob's name", async () => {
    const sealed = await sealFor(rsa, ec)
    for (const keys of [[], [stranger.openingKey]]) {
      await expect(unsealRecord(sealed, blob, keys)).rejects.toMatchObject({
        code: "ERR_SEAL_NO_KEY",
        details: { blob },
      })
    }
  })

  it("refuses another private key under a recipient's name", async () => {
    const impostor = { kid: "recovery-1", key: stranger.openingKey.key }
    await expect(unsealRecord(await sealFor(rsa, ec), blob, [impostor])).rejects.toMatchObject({
      code: "ERR_SEAL_INTEGRITY",
    })
  })

  it("refuses a record that was moved to another name", async () => {
    const elsewhere = formatRecordName(anObject({ version: 2 }))
    await expect(unsealRecord(await sealFor(ec), elsewhere, [ec.openingKey])).rejects.toMatchObject({
      code: "ERR_SEAL_INTEGRITY",
      message: expect.stringContaining("another blob name"),
    })
  })

  it("refuses bytes whose digest the ledger does not name, before anything is opened", async () => {
    const sealed = await sealFor(ec)
    for (const wrong of [digest(plaintext), "", "zz", digest(sealed).slice(2)]) {
      await expect(unsealRecord(sealed, blob, [], wrong)).rejects.toMatchObject({
        code: "ERR_SEAL_INTEGRITY",
        message: expect.stringContaining("digest"),
      })
    }
  })

  /** Another character at `at`; not the last one, of which only some bits count. */
  const flip = (part: string, at = Math.floor(part.length / 2)) =>
    part.slice(0, at) + (part[at] === "A" ? "B" : "A") + part.slice(at + 1)

  const sealed = sample
  const second = sealed.recipients[1]!
  const withRecipient = (change: Partial<typeof second>) => ({
    ...sealed,
    recipients: [sealed.recipients[0], { ...second, ...change }],
  })
  const header = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url")
  const good = headerOf(sealed)

  it.each([
    { name: "protected header", broken: { ...sealed, protected: flip(sealed.protected) } },
    { name: "iv", broken: { ...sealed, iv: flip(sealed.iv) } },
    { name: "ciphertext", broken: { ...sealed, ciphertext: flip(sealed.ciphertext) } },
    { name: "ciphertext, first byte", broken: { ...sealed, ciphertext: flip(sealed.ciphertext, 0) } },
    { name: "tag", broken: { ...sealed, tag: flip(sealed.tag) } },
    { name: "wrapped key", broken: withRecipient({ encrypted_key: flip(second.encrypted_key) }) },
    {
      name: "ephemeral key",
      broken: withRecipient({
        header: { ...second.header, epk: { kty: "EC", crv: "P-384", x: "AA", y: "AA" } },
      }),
    },
    {
      name: "alg of the recipient",
      broken: withRecipient({ header: { ...second.header, alg: "RSA-OAEP-256" } }),
    },
    { name: "alg that needs no key", broken: withRecipient({ header: { ...second.header, alg: "dir" } }) },
    {
      name: "kid of the recipient given to another wrap",
      broken: {
        ...sealed,
        recipients: [{ ...sealed.recipients[0], header: { alg: "RSA-OAEP-256", kid: "recovery-1" } }],
      },
    },
    { name: "shorter tag", broken: { ...sealed, tag: sealed.tag.slice(0, 16) } },
    { name: "protected header without kvb", broken: { ...sealed, protected: header({ enc: "A256GCM" }) } },
    { name: "protected header with more", broken: { ...sealed, protected: header({ ...good, zip: "DEF" }) } },
    {
      name: "protected header with crit",
      broken: { ...sealed, protected: header({ ...good, crit: ["kvb"] }) },
    },
    {
      name: "another content encryption",
      broken: { ...sealed, protected: header({ ...good, enc: "A128GCM" }) },
    },
    {
      name: "header that is written in another order",
      broken: { ...sealed, protected: header({ kvb: good["kvb"], enc: good["enc"] }) },
    },
    { name: "no recipients", broken: { ...sealed, recipients: [] } },
    { name: "a part missing", broken: { ...sealed, tag: undefined } },
    { name: "JSON of another kind", broken: [sealed] },
  ])("refuses a record that was touched: $name", async ({ broken }) => {
    await expect(unsealRecord(write(broken), blob, [ec.openingKey])).rejects.toMatchObject({
      code: "ERR_SEAL_INTEGRITY",
      details: { blob },
    })
  })

  it.each([
    {
      name: "one that says more",
      protectedHeader: { enc: "A256GCM", kvb: sealNameOf(blob), cty: "text/plain" },
    },
    { name: "one of another cipher", protectedHeader: { enc: "A128GCM", kvb: sealNameOf(blob) } },
    { name: "one without a name", protectedHeader: { enc: "A256GCM" } },
  ])("refuses a well-made seal with another protected header: $name", async ({ protectedHeader }) => {
    const encrypt = new GeneralEncrypt(plaintext).setProtectedHeader(protectedHeader)
    for (const { key, alg, kid } of [rsa.recipient, ec.recipient]) {
      encrypt.addRecipient(key).setUnprotectedHeader({ alg, kid })
    }
    await expect(unsealRecord(write(await encrypt.encrypt()), blob, [ec.openingKey])).rejects.toMatchObject({
      code: "ERR_SEAL_INTEGRITY",
      message: expect.stringContaining("protected header"),
    })
  })

  it("opens the untouched record of that table", async () => {
    await expect(unsealRecord(write(sealed), blob, [ec.openingKey])).resolves.toBeDefined()
  })

  it("refuses each of its bytes changed, or gives what was sealed", async () => {
    const whole = Buffer.from(await sealFor(ec))
    const step = process.env["SLOW"] === "1" ? 1 : 29
    const wrong: number[] = []
    for (let at = 0; at < whole.length; at += step) {
      const touched = Buffer.from(whole)
      touched[at] = touched[at]! ^ 1
      const opened = await unsealRecord(touched, blob, [ec.openingKey]).then(
        (bytes) => Buffer.from(bytes).toString("utf8"),
        (error: { code?: string }) => error.code ?? "foreign",
      )
      if (!["ERR_SEAL_INTEGRITY", "ERR_SEAL_NO_KEY", text].includes(opened)) wrong.push(at)
      await expect(unsealRecord(touched, blob, [ec.openingKey], digest(whole))).rejects.toMatchObject({
        code: "ERR_SEAL_INTEGRITY",
      })
    }
    expect(wrong).toEqual([])
  })

  it("refuses what is no JSON", async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from("<html>"), Buffer.from([0xff])]) {
      await expect(unsealRecord(bytes, blob, [ec.openingKey])).rejects.toMatchObject({
        code: "ERR_SEAL_INTEGRITY",
      })
    }
  })
})

describe("importOpeningKeys", () => {
  it.each([
    { name: "no kid", key: { ...ec.privateJwk, kid: "" }, says: /no kid/ },
    { name: "a symmetric key", key: { kty: "oct", kid: "x", k: "aHVudGVyMg" }, says: /symmetric/ },
  ])("refuses $name without quoting it", async ({ key, says }) => {
    const refused = importOpeningKeys({ keys: [key] })
    await expect(refused).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      message: expect.stringMatching(says),
    })
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("aHVudGVyMg") })
  })

  it("refuses a public key and a broken one: neither opens anything", async () => {
    for (const key of [ec.publicJwk, { ...ec.privateJwk, d: "AA" }]) {
      await expect(importOpeningKeys({ keys: [key] })).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" })
    }
  })
})
