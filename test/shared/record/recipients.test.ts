import { describe, expect, it } from "vitest"
import { importRecipients, parseRecipientKeys, recipientsOf } from "../../../shared/record/recipients.ts"
import { recipientPair } from "../../support/recipientPair.ts"

const ec = await recipientPair("EC", "recovery-1")
const rsa = await recipientPair("RSA", "https://kv-keys.vault.azure.net/keys/backup/0123456789abcdef")
const vaultA = "https://kv-a.vault.azure.net"
const vaultB = "https://kv-b.vault.azure.net"

function parse(json: unknown) {
  return parseRecipientKeys(typeof json === "string" ? json : JSON.stringify(json))
}

describe("parseRecipientKeys", () => {
  it("reads a JWK Set as the keys of every vault", () => {
    const parsed = parse({ keys: [ec.publicJwk, rsa.publicJwk] })
    expect(parsed).toMatchObject({ keys: { default: [{ kid: "recovery-1" }, { kty: "RSA" }] } })
  })

  it("reads a map by vault, in any spelling of its URL, with a default for the rest", () => {
    const parsed = parse({
      "HTTPS://KV-A.vault.azure.net/": { keys: [rsa.publicJwk] },
      default: { keys: [ec.publicJwk] },
    })
    if (!("keys" in parsed)) throw new Error(parsed.problems.join())
    expect(recipientsOf(vaultA, parsed.keys)).toEqual([rsa.publicJwk])
    expect(recipientsOf(vaultB, parsed.keys)).toEqual([ec.publicJwk])
  })

  it("keeps nothing of a key but what sealing needs", () => {
    const parsed = parse({ keys: [{ ...ec.publicJwk, x5c: ["…"], use: "sig", key_ops: ["sign"] }] })
    expect(parsed).toEqual({ keys: { default: [ec.publicJwk], byVault: new Map() } })
  })

  it.each(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map((name) => ({ name })))(
    "refuses a key with the private member $name, and quotes nothing of it",
    ({ name }) => {
      const parsed = parse({ keys: [ec.publicJwk, { ...rsa.publicJwk, [name]: "hunter2hunter2" }] })
      expect(parsed).toEqual({ problems: [expect.stringMatching(/^key 2 holds a private or secret member/)] })
      expect(JSON.stringify(parsed)).not.toContain("hunter2")
    },
  )

  it.each([
    { name: "no JSON", json: "{hunter2", says: /is not JSON/ },
    { name: "a list", json: [ec.publicJwk], says: /must be a JWK Set/ },
    { name: "null", json: null, says: /must be a JWK Set/ },
    { name: "an empty set", json: { keys: [] }, says: /has no keys/ },
    { name: "an empty map", json: {}, says: /names no key/ },
    {
      name: "a private key without a set",
      json: { kty: "oct", kid: "x", k: "hunter2" },
      says: /has no keys/,
    },
    { name: "a symmetric key", json: { keys: [{ kty: "oct", kid: "x" }] }, says: /^key 1 is no usable/ },
    { name: "no kid", json: { keys: [{ ...ec.publicJwk, kid: undefined }] }, says: /kid/ },
    { name: "a kid with a comma", json: { keys: [{ ...ec.publicJwk, kid: "a,b" }] }, says: /kid/ },
    { name: "a kid with a line break", json: { keys: [{ ...ec.publicJwk, kid: "a\nb" }] }, says: /kid/ },
    { name: "a kid that is not ASCII", json: { keys: [{ ...ec.publicJwk, kid: "ключ" }] }, says: /kid/ },
    { name: "a short RSA key", json: { keys: [{ ...rsa.publicJwk, n: "AQAB" }] }, says: /2048 bits/ },
    { name: "an unknown curve", json: { keys: [{ ...ec.publicJwk, crv: "secp256k1" }] }, says: /crv/ },
    { name: "a repeated kid", json: { keys: [ec.publicJwk, ec.publicJwk] }, says: /^key 2 repeats the kid/ },
    {
      name: "a vault named twice in two spellings",
      json: { [vaultA]: { keys: [ec.publicJwk] }, [`${vaultA}/`]: { keys: [rsa.publicJwk] } },
      says: /is named twice/,
    },
    {
      name: "a vault without keys",
      json: { [vaultA]: { keys: [] }, default: { keys: [ec.publicJwk] } },
      says: /of https:\/\/kv-a.vault.azure.net has no keys/,
    },
  ])("names what is wrong: $name", ({ json, says }) => {
    const parsed = parse(json)
    if (!("problems" in parsed)) throw new Error("It was taken")
    expect(parsed.problems.join("\n")).toMatch(says)
    expect(parsed.problems.join("\n")).not.toContain("hunter2")
  })

  it("names every wrong key at once", () => {
    const parsed = parse({ keys: [{ kty: "EC" }, ec.publicJwk, { ...rsa.publicJwk, d: "x" }] })
    expect(parsed).toEqual({
      problems: [expect.stringMatching(/^key 1 /), expect.stringMatching(/^key 3 /)],
    })
  })
})

describe("importRecipients", () => {
  it("gives each type of key its own way of wrapping, in the given order", async () => {
    const imported = await importRecipients([rsa.publicJwk, ec.publicJwk])
    expect(imported.map(({ kid, alg }) => [kid, alg])).toEqual([
      [rsa.publicJwk.kid, "RSA-OAEP-256"],
      ["recovery-1", "ECDH-ES+A256KW"],
    ])
    expect(imported.map(({ key }) => key.type)).toEqual(["public", "public"])
  })

  it("refuses a point that is not on the curve, by the key's name", async () => {
    const [x, y] = ["x", "y"].map(() => Buffer.alloc(48, 7).toString("base64url"))
    await expect(
      importRecipients([{ kty: "EC", kid: "bad-1", crv: "P-384", x: x!, y: y! }]),
    ).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      message: expect.stringContaining("bad-1"),
    })
  })
})
