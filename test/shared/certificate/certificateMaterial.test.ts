import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto"
import { describe, expect, it } from "vitest"
import {
  isChainComplete,
  keyFingerprint,
  materialIdentity,
  openMaterial,
  pemContentType,
  pkcs12ContentType,
  thumbprintOf,
} from "../../../shared/certificate/certificateMaterial.ts"
import { aChain, contentTypes, materialOf, newKey } from "../../support/aChain.ts"

const { key, certificates } = aChain({ length: 3 })
const [leaf, issuer, root] = certificates as unknown as [Buffer, Buffer, Buffer]
const foreign = newKey()

describe("openMaterial", () => {
  it.each(contentTypes)("opens key and certificates in their order: %s", (contentType) => {
    const opened = openMaterial(materialOf(key, [issuer, leaf, root], contentType), contentType)
    expect(opened.certificates.map(({ raw }) => raw)).toEqual([issuer, leaf, root])
    expect(opened.privateKeys.map((own) => own.equals(key))).toEqual([true])
  })

  it.each(contentTypes)("opens certificates without a key: %s", (contentType) => {
    const opened = openMaterial(materialOf(undefined, certificates, contentType), contentType)
    expect(opened.certificates).toHaveLength(3)
    expect(opened.privateKeys).toEqual([])
  })

  it.each([
    { name: "SEC 1 EC", type: "sec1" as const, of: key },
    { name: "PKCS#1 RSA", type: "pkcs1" as const, of: newKey("RSA-2048") },
  ])("opens a PEM with a key in another form: $name", ({ type, of }) => {
    const pem = of.export({ type, format: "pem" }).toString()
    expect(openMaterial(pem, pemContentType).privateKeys[0]?.equals(of)).toBe(true)
  })

  it("knows a PEM by its look where the content type is absent or says PFX", () => {
    const pem = materialOf(key, [leaf], pemContentType)
    for (const contentType of [undefined, pkcs12ContentType]) {
      expect(openMaterial(pem, contentType).certificates).toHaveLength(1)
    }
  })

  it("finds nothing in a PEM that has neither", () => {
    expect(openMaterial("hunter2", pemContentType)).toEqual({ certificates: [], privateKeys: [] })
  })

  const pem = materialOf(key, [leaf], pemContentType)
  it.each([
    { name: "text", value: "hunter2-hunter2", contentType: pkcs12ContentType },
    { name: "nothing", value: "", contentType: pkcs12ContentType },
    { name: "a PFX cut short", value: materialOf(key, [leaf]).slice(0, 400), contentType: pkcs12ContentType },
    { name: "a certificate alone", value: leaf.toString("base64"), contentType: pkcs12ContentType },
    {
      name: "a PEM with broken base64",
      value: pem.replace(/(BEGIN CERTIFICATE-+\n).{60}/, "$1hunter2-hunter2"),
      contentType: pemContentType,
    },
    { name: "a content type of ours to quote", value: "hunter2-hunter2", contentType: undefined },
  ])("throws what quotes nothing: $name", ({ value, contentType }) => {
    let thrown: unknown
    try {
      openMaterial(value, contentType)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(String((thrown as Error).stack)).not.toContain("hunter2-")
    expect(thrown).not.toHaveProperty("cause")
  })
})

describe("thumbprintOf", () => {
  it("is the SHA-1 that the certificate itself tells", () => {
    expect(thumbprintOf(leaf)).toBe(new X509Certificate(leaf).fingerprint.replaceAll(":", "").toLowerCase())
  })
})

describe("keyFingerprint", () => {
  it("is that of the public half, and equal for both halves", () => {
    const { publicKey } = new X509Certificate(leaf)
    const spki = publicKey.export({ type: "spki", format: "der" })
    expect(keyFingerprint(key)).toBe(createHash("sha256").update(spki).digest("hex"))
    expect(keyFingerprint(publicKey)).toBe(keyFingerprint(key))
    expect(keyFingerprint(foreign)).not.toBe(keyFingerprint(key))
  })
})

describe("materialIdentity", () => {
  const open = (own: typeof key | undefined, ders: readonly Buffer[]) =>
    openMaterial(materialOf(own, ders), pkcs12ContentType)
  const identity = { thumbprint: thumbprintOf(leaf), keyFingerprint: keyFingerprint(key) }

  it.each([
    { name: "leaf first", ders: [leaf, issuer, root] },
    { name: "root first", ders: [root, issuer, leaf] },
    { name: "leaf in the middle", ders: [root, leaf, issuer] },
    { name: "leaf twice", ders: [leaf, root, leaf] },
  ])("finds the leaf whatever the order: $name", ({ ders }) => {
    expect(materialIdentity(open(key, ders), leaf)).toEqual(identity)
  })

  it("is the same for two exports whose bytes differ", () => {
    const [one, other] = [materialOf(key, [leaf]), materialOf(key, [leaf])]
    expect(one).not.toBe(other)
    const [first, second] = [one, other].map((value) =>
      materialIdentity(openMaterial(value, undefined), leaf),
    )
    expect(first).toEqual(second)
  })

  it("has no fingerprint where there is no key", () => {
    expect(materialIdentity(open(undefined, [leaf]), leaf)).toEqual({ thumbprint: identity.thumbprint })
  })

  it("takes the key that belongs to the leaf from several", () => {
    const material = { ...open(key, [leaf]), privateKeys: [foreign, key] }
    expect(materialIdentity(material, leaf)).toEqual(identity)
  })

  it("is none for the key of another certificate", () => {
    expect(materialIdentity(open(foreign, [leaf]), leaf)).toBeUndefined()
  })

  it("is none without the leaf", () => {
    expect(materialIdentity(open(key, [issuer, root]), leaf)).toBeUndefined()
    expect(materialIdentity(open(undefined, []), leaf)).toBeUndefined()
  })
})

describe("isChainComplete", () => {
  const x509 = (ders: readonly Buffer[]) => ders.map((der) => new X509Certificate(der))
  const [other] = aChain().certificates

  it.each([
    { name: "three in order", ders: [leaf, issuer, root], is: true },
    { name: "three in another order", ders: [root, leaf, issuer], is: true },
    { name: "issuers without the leaf", ders: [issuer, root], is: true },
    { name: "a stranger among them", ders: [other, leaf, issuer, root], is: true },
    { name: "no root", ders: [leaf, issuer], is: false },
    { name: "no issuer", ders: [leaf, root], is: false },
    { name: "the leaf alone", ders: [leaf], is: false },
    { name: "nothing", ders: [], is: false },
  ])("is $is for $name", ({ ders, is }) => {
    expect(isChainComplete(leaf, x509(ders))).toBe(is)
  })

  it("needs nobody else for a certificate that signed itself", () => {
    expect(isChainComplete(other, [])).toBe(true)
  })

  it("is not deceived by an issuer of the same name and key identifier: its key must have signed", () => {
    const point = (key: KeyObject) => key.export({ type: "spki", format: "der" }).subarray(-65)
    const forged = Buffer.from(issuer)
    const own = point(new X509Certificate(issuer).publicKey)
    point(createPublicKey(foreign)).copy(forged, forged.indexOf(own))
    expect(new X509Certificate(leaf).checkIssued(new X509Certificate(forged))).toBe(true)
    expect(isChainComplete(leaf, x509([leaf, forged, root]))).toBe(false)
    expect(isChainComplete(leaf, x509([leaf, forged, issuer, root]))).toBe(true)
  })
})
