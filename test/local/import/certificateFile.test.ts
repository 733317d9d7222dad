import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { isCertificateFile, readCertificateFile } from "../../../local/import/certificateFile.ts"
import { noPasswords, type PasswordSource } from "../../../local/import/passwordSource.ts"
import { toPem } from "../../../local/tls/signCertificate.ts"
import { openMaterial } from "../../../shared/certificate/certificateMaterial.ts"
import { aChain, keyKinds, materialOf, newKey } from "../../support/aChain.ts"

const chain = aChain({ length: 3 })
const [leaf, issuer, root] = chain.certificates as unknown as [Buffer, Buffer, Buffer]
const pemKey = chain.key.export({ type: "pkcs8", format: "pem" }).toString()
const pem = (...ders: Buffer[]) => ders.map((der) => toPem(der, "CERTIFICATE")).join("")
/** Made once by `openssl pkcs12 -export` (AES-256), with a password that is not ASCII. */
const locked = JSON.parse(readFileSync(new URL("lockedPfx.json", import.meta.url), "utf8")) as {
  pfx: string
  password: string
}

const file = (path: string, content: string | Buffer) => ({ path, bytes: Buffer.from(content) })
const answering = (...passwords: string[]): PasswordSource & { readonly asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    passwordOf: async (path, attempt) => {
      asked.push(`${path} ${attempt}`)
      return passwords[attempt - 1]
    },
  }
}

async function read(path: string, content: string | Buffer, passwords: PasswordSource = noPasswords) {
  const given = file(path, content)
  expect(isCertificateFile(given)).toBe(true)
  const { certificates = [], problems, entries } = await readCertificateFile(given, passwords)
  expect(entries).toEqual([])
  return { certificates, problems: problems.map(({ reason }) => reason), problem: problems[0] }
}

/** What a certificate that was read holds: its key, and its certificates in their order. */
function open({ value, contentType }: { readonly value: string; readonly contentType: string }) {
  const { certificates, privateKeys } = openMaterial(value, contentType)
  return {
    ders: certificates.map(({ raw }) => raw),
    isKey: (key: KeyObject) => privateKeys[0]?.equals(key) === true,
  }
}

describe("readCertificateFile", () => {
  it.each([
    { name: "key first", text: pemKey + pem(leaf, issuer, root) },
    { name: "root first, key last", text: pem(root, issuer, leaf) + pemKey },
    {
      name: "words between",
      text: `Bag Attributes\n  friendlyName: x\n${pem(root)}subject=CN\r\n${pemKey}\n${pem(leaf, issuer)}`,
    },
    {
      name: "an EC key in its own form",
      text: pem(leaf, root, issuer) + chain.key.export({ type: "sec1", format: "pem" }).toString(),
    },
  ])("reads key and chain from a PEM, the leaf first: $name", async ({ text }) => {
    const { certificates, problems } = await read("tls.pem", text)
    expect(problems).toEqual([])
    expect(certificates).toMatchObject([{ name: "tls", contentType: "application/x-pem-file" }])
    const { ders, isKey } = open(certificates[0]!)
    expect(isKey(chain.key)).toBe(true)
    expect(ders[0]).toEqual(leaf)
    expect(ders).toHaveLength(3)
  })

  it("reads a PFX without a password, and asks for none", async () => {
    const passwords = answering("x")
    const pfx = Buffer.from(materialOf(chain.key, [root, leaf, issuer]), "base64")
    const { certificates } = await read("tls.pfx", pfx, passwords)
    expect(certificates).toMatchObject([{ name: "tls", contentType: "application/x-pkcs12" }])
    const { ders, isKey } = open(certificates[0]!)
    expect([ders.length, ders[0]?.equals(leaf), isKey(chain.key)]).toEqual([3, true, true])
    expect(passwords.asked).toEqual([])
  })

  it("opens a locked PFX with its password, and gives one without", async () => {
    const passwords = answering(locked.password)
    const { certificates } = await read("site.p12", Buffer.from(locked.pfx, "base64"), passwords)
    expect(passwords.asked).toEqual(["site.p12 1"])
    const { certificates: opened, privateKeys } = openMaterial(
      certificates[0]!.value,
      certificates[0]!.contentType,
    )
    expect(opened).toHaveLength(2)
    expect(opened[0]?.checkPrivateKey(privateKeys[0]!)).toBe(true)
  })

  it("opens a locked key in a PEM, and asks again after a wrong password", async () => {
    const key = chain.key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "right" })
    const passwords = answering("wrong", "right")
    const { certificates, problems } = await read("tls.pem", pem(leaf) + key.toString(), passwords)
    expect(problems).toEqual([])
    expect(passwords.asked).toEqual(["tls.pem 1", "tls.pem 2"])
    expect(certificates[0]!.value).toContain("-----BEGIN PRIVATE KEY-----")
    expect(open(certificates[0]!).isKey(chain.key)).toBe(true)
  })

  it.each([
    { name: "none to be had", passwords: noPasswords, says: /needs a password: .*--password-file/ },
    { name: "a wrong one", passwords: answering("wrong"), says: /password does not open the file/ },
  ])("names a locked file and what to do: $name", async ({ passwords, says }) => {
    const { certificates, problem } = await read("a/site.pfx", Buffer.from(locked.pfx, "base64"), passwords)
    expect(certificates).toEqual([])
    expect(problem).toEqual({ file: "a/site.pfx", reason: expect.stringMatching(says) })
    expect(JSON.stringify(problem)).not.toContain("wrong")
  })

  it.each(keyKinds.filter((kind) => kind !== "RSA-4096"))(
    "takes a key of a kind that vaults take: %s",
    async (kind) => {
      const { key, certificates } = aChain({ key: newKey(kind) })
      const found = await read("x.pem", materialOf(key, certificates, "application/x-pem-file"))
      expect(found).toMatchObject({ problems: [], certificates: [{ name: "x" }] })
    },
  )

  const foreign = newKey()
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey
  const other = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey
  const withKey = (key: KeyObject) => materialOf(key, aChain({ key }).certificates, "application/x-pem-file")
  it.each([
    {
      name: "a certificate alone",
      path: "a.pem",
      content: pem(leaf),
      says: /a certificate without its private key/,
    },
    {
      name: "a certificate alone, DER",
      path: "a.cer",
      content: leaf,
      says: /a certificate without its private key/,
    },
    {
      name: "a PFX without a key",
      path: "a.pfx",
      content: Buffer.from(materialOf(undefined, [leaf]), "base64"),
      says: /a certificate without its private key/,
    },
    { name: "a key alone", path: "a.pem", content: pemKey, says: /a private key without its certificate/ },
    {
      name: "the key of another",
      path: "a.pem",
      content: foreign.export({ type: "pkcs8", format: "pem" }) + pem(leaf),
      says: /belongs to none of the certificates/,
    },
    {
      name: "the key of the issuer's child",
      path: "a.pem",
      content: pemKey + pem(issuer, root),
      says: /belongs to none of the certificates/,
    },
    { name: "a key of 1024 bits", path: "a.pem", content: withKey(small), says: /none that a vault takes/ },
    {
      name: "a key on another curve",
      path: "a.pem",
      content: withKey(other),
      says: /none that a vault takes/,
    },
    {
      name: "PEM of something else",
      path: "a.pem",
      content: "-----BEGIN INVENTED-----\nAAAA\n-----END INVENTED-----\n",
      says: /no certificate and no private key/,
    },
    {
      name: "a broken PEM",
      path: "a.pem",
      content: pemKey.replace(/[A-Z]{3}/, "!!!") + pem(leaf).slice(0, 90),
      says: /no certificate|private key|PEM/,
    },
    { name: "text called PFX", path: "a.pfx", content: "hunter2", says: /no PFX that can be read/ },
    { name: "nothing called PFX", path: "a.pfx", content: "", says: /no PFX that can be read/ },
    {
      name: "DER of something else",
      path: "a",
      content: Buffer.from([0x30, 0x82, 0x01, 0x00]),
      says: /needs a password|no PFX/,
    },
  ])("is a problem named by its file, never an exception: $name", async ({ path, content, says }) => {
    const { certificates, problems, problem } = await read(path, content as string | Buffer)
    expect(certificates).toEqual([])
    expect(problems).toHaveLength(1)
    expect(problem).toEqual({ file: path, reason: expect.stringMatching(says) })
  })

  it.each([
    { path: "/home/me/tls.example.com.pem", name: "tls-example-com" },
    { path: "star_example.pfx.pem", name: "star_example-pfx" },
    { path: "site", name: "site" },
  ])("is named after the file: $path", async ({ path, name }) => {
    const { certificates } = await read(path, pemKey + pem(leaf))
    expect(certificates.map((certificate) => certificate.name)).toEqual([name])
    expect(new X509Certificate(leaf).checkPrivateKey(chain.key)).toBe(true)
  })
})
