import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  type EcdsaCurve,
  signEcdsaDigest,
  verifyEcdsaDigest,
} from "../../../local/keyVault/digestSignature/ecdsaDigest.ts"
import { type AVault, aVault, refusalOf } from "./aVault.ts"

interface KeyAnswer {
  readonly key: JsonWebKey & { readonly kid: string; readonly key_ops: string[] }
  readonly managed?: boolean
}

let sample: AVault
let rsa: KeyAnswer["key"]
let ec: KeyAnswer["key"]
beforeAll(async () => {
  sample = await aVault({ throttle: false })
  rsa = (await create("rsa", { kty: "RSA", key_size: 2048 })).key
  ec = (await create("ec", { kty: "EC", crv: "P-256" })).key
})
afterAll(() => sample.stop())

const post = (path: string, body: unknown) => sample.ask(path, { method: "POST", body: JSON.stringify(body) })
const pathOf = (kid: string) => new URL(kid).pathname

async function create(name: string, body: unknown): Promise<KeyAnswer> {
  const response = await post(`/keys/${name}/create`, body)
  expect(response.status).toBe(200)
  return (await response.json()) as KeyAnswer
}

async function operate(kid: string, operation: string, body: Record<string, unknown>) {
  const response = await post(`${pathOf(kid)}/${operation}`, body)
  expect(response.status).toBe(200)
  return (await response.json()) as { kid: string; value: string }
}

const publicKeyOf = (jwk: JsonWebKey) => createPublicKey({ key: jwk, format: "jwk" })

describe("keys", () => {
  it("show their public half as a JWK with the versioned id, and never the private one", async () => {
    expect(rsa.kid).toMatch(new RegExp(`^${sample.vault.url}/keys/rsa/[0-9a-f]{32}$`))
    expect(rsa.key_ops).toEqual(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"])
    expect(publicKeyOf(rsa).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 })
    const read = (await (await sample.ask(pathOf(ec.kid))).json()) as KeyAnswer
    expect(read.key).toEqual(ec)
    expect(Object.keys(read.key).sort()).toEqual(["crv", "key_ops", "kid", "kty", "x", "y"])
  })

  it("wrap and unwrap with RSA-OAEP-256", async () => {
    const contentKey = randomBytes(32)
    const wrapped = await operate(rsa.kid, "wrapkey", {
      alg: "RSA-OAEP-256",
      value: contentKey.toString("base64url"),
    })
    expect(wrapped.kid).toBe(rsa.kid)
    const elsewhere = publicEncrypt(
      { key: publicKeyOf(rsa), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      contentKey,
    ).toString("base64url")
    for (const value of [wrapped.value, elsewhere]) {
      const opened = await operate(rsa.kid, "unwrapkey", { alg: "RSA-OAEP-256", value })
      expect(Buffer.from(opened.value, "base64url")).toEqual(contentKey)
    }
    const refusal = await refusalOf(
      await post(`${pathOf(rsa.kid)}/unwrapkey`, { alg: "RSA-OAEP", value: wrapped.value }),
    )
    expect(refusal).toMatchObject({ status: 400, code: "BadParameter" })
  })

  const data = Buffer.from("what is signed")
  it.each([
    { alg: "RS256", hash: "sha256", padding: constants.RSA_PKCS1_PADDING },
    { alg: "RS512", hash: "sha512", padding: constants.RSA_PKCS1_PADDING },
    { alg: "PS256", hash: "sha256", padding: constants.RSA_PKCS1_PSS_PADDING },
    { alg: "PS384", hash: "sha384", padding: constants.RSA_PKCS1_PSS_PADDING },
  ])("sign a digest so that others can verify it, and verify it: $alg", async ({ alg, hash, padding }) => {
    const digest = createHash(hash).update(data).digest("base64url")
    const { value } = await operate(rsa.kid, "sign", { alg, value: digest })
    const signature = Buffer.from(value, "base64url")
    expect(verify(hash, data, { key: publicKeyOf(rsa), padding }, signature)).toBe(true)
    await expect(operate(rsa.kid, "verify", { alg, digest, value })).resolves.toEqual({ value: true })
    const other = createHash(hash).update("other").digest("base64url")
    await expect(operate(rsa.kid, "verify", { alg, digest: other, value })).resolves.toEqual({ value: false })
  })

  it("sign with ES256", async () => {
    const digest = createHash("sha256").update(data).digest("base64url")
    const { value } = await operate(ec.kid, "sign", { alg: "ES256", value: digest })
    const key = { key: publicKeyOf(ec), dsaEncoding: "ieee-p1363" } as const
    expect(verify("sha256", data, key, Buffer.from(value, "base64url"))).toBe(true)
    await expect(operate(ec.kid, "verify", { alg: "ES256", digest, value })).resolves.toEqual({ value: true })
  })

  it.each([
    { name: "an algorithm of the other kind", operation: "sign", body: { alg: "ES256", value: "AAAA" } },
    { name: "a digest of the wrong length", operation: "sign", body: { alg: "RS256", value: "AAAA" } },
    { name: "what is no base64url", operation: "sign", body: { alg: "RS256", value: "*" } },
    {
      name: "a content key that is too long",
      operation: "wrapkey",
      body: { alg: "RSA-OAEP-256", value: "A".repeat(400) },
    },
  ])("refuse $name", async ({ operation, body }) => {
    const refusal = await refusalOf(await post(`${pathOf(rsa.kid)}/${operation}`, body))
    expect(refusal).toMatchObject({ status: 400, code: "BadParameter" })
  })

  it("are used only as their operations, their state and their time allow", async () => {
    const value = randomBytes(32).toString("base64url")
    const use = async (name: string) => refusalOf(await post(`/keys/${name}//sign`, { alg: "ES256", value }))
    await create("limited", { kty: "EC", key_ops: ["verify"] })
    await create("off", { kty: "EC", attributes: { enabled: false } })
    await create("expired", { kty: "EC", attributes: { exp: 1 } })
    await create("early", { kty: "EC", attributes: { nbf: 4_000_000_000 } })
    const inner = await Promise.all(
      ["limited", "off", "expired", "early"].map(async (name) => (await use(name)).inner),
    )
    expect(inner).toEqual(["KeyOperationForbidden", "KeyDisabled", "KeyExpired", "KeyNotYetValid"])
  })

  it("stand behind certificates as managed ones", async () => {
    const policy = { x509_props: { subject: "CN=x" }, key_props: { kty: "EC" } }
    await post("/certificates/site/create", { policy })
    const { kid } = (await (await sample.ask("/certificates/site")).json()) as { kid: string }
    const read = (await (await sample.ask(pathOf(kid))).json()) as KeyAnswer
    expect(read).toMatchObject({ managed: true, key: { kid, kty: "EC" } })
    expect(await refusalOf(await sample.ask("/keys/site", { method: "DELETE" }))).toMatchObject({
      status: 403,
    })
  })

  it("are listed, updated, deleted, recovered and purged", async () => {
    const { key } = await create("life", { kty: "EC" })
    const raised = sample.changes.at(-1)
    expect(raised).toMatchObject({ eventType: "KeyNewVersionCreated", id: key.kid })
    await create("life", { kty: "EC" })
    const versions = (await (await sample.ask("/keys/life/versions")).json()) as { value: { kid: string }[] }
    expect(versions.value.map(({ kid }) => kid)).toContain(key.kid)
    expect(versions.value).toHaveLength(2)
    await sample.ask(pathOf(key.kid), { method: "PATCH", body: JSON.stringify({ tags: { a: "1" } }) })
    await expect((await sample.ask(pathOf(key.kid))).json()).resolves.toMatchObject({ tags: { a: "1" } })
    expect((await sample.ask("/keys/life", { method: "DELETE" })).status).toBe(200)
    expect(await refusalOf(await sample.ask(pathOf(key.kid)))).toMatchObject({
      status: 404,
      code: "KeyNotFound",
    })
    expect(await refusalOf(await post("/keys/life/create", { kty: "EC" }))).toMatchObject({ status: 409 })
    expect((await post("/deletedkeys/life/recover", {})).status).toBe(200)
    expect((await sample.ask(pathOf(key.kid))).status).toBe(200)
    await sample.ask("/keys/life", { method: "DELETE" })
    expect((await sample.ask("/deletedkeys/life", { method: "DELETE" })).status).toBe(204)
    expect((await sample.ask("/deletedkeys/life")).status).toBe(404)
  })
})

describe("ECDSA over a digest", () => {
  const cases: { curve: EcdsaCurve; hash: string }[] = [
    { curve: "P-256", hash: "sha256" },
    { curve: "P-384", hash: "sha384" },
    { curve: "P-521", hash: "sha512" },
    { curve: "P-256", hash: "sha512" },
  ]
  it.each(cases)("agrees with OpenSSL in both directions: $curve, $hash", ({ curve, hash }) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve })
    const data = randomBytes(100)
    const digest = createHash(hash).update(data).digest()
    const encoded = (key: KeyObject) => ({ key, dsaEncoding: "ieee-p1363" }) as const
    const ours = signEcdsaDigest(curve, privateKey, digest)
    const theirs = sign(hash, data, encoded(privateKey))
    expect(verify(hash, data, encoded(publicKey), ours)).toBe(true)
    expect(verifyEcdsaDigest(curve, privateKey, digest, theirs)).toBe(true)
    const broken = Buffer.from(theirs)
    broken[broken.length - 1]! ^= 1
    expect(verifyEcdsaDigest(curve, privateKey, digest, broken)).toBe(false)
    expect(verifyEcdsaDigest(curve, privateKey, digest, Buffer.alloc(theirs.length))).toBe(false)
  })

  it("refuses numbers beyond the order, which would make a second signature of a known one", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-521" })
    const digest = createHash("sha512").update("x").digest()
    const signature = signEcdsaDigest("P-521", privateKey, digest)
    const order =
      0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n
    const s = BigInt(`0x${signature.subarray(66).toString("hex")}`) + order
    const second = Buffer.concat([
      signature.subarray(0, 66),
      Buffer.from(s.toString(16).padStart(132, "0"), "hex"),
    ])
    expect(verifyEcdsaDigest("P-521", privateKey, digest, signature)).toBe(true)
    expect(verifyEcdsaDigest("P-521", privateKey, digest, second)).toBe(false)
  })
})
