import { execFileSync } from "node:child_process"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import tls from "node:tls"
import type { CertificateClient } from "@azure/keyvault-certificates"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readPkcs12 } from "../../../shared/certificate/readPkcs12.ts"
import { writePkcs12 } from "../../../local/keyVault/writePkcs12.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"
import { aChain, materialOf } from "../../support/aChain.ts"
import { type AVault, aVault, refusalOf } from "./aVault.ts"

let sample: AVault
let client: CertificateClient
let leafPem: string
let keyPem: string
let caPem: string
let chain: Buffer[]
const folder = mkdtempSync(join(tmpdir(), "pfx-"))
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  sample = await aVault({ throttle: false })
  client = sample.certificates()
  const authority = await createCertificateAuthority()
  const issued = await authority.issue(["import.example.test"])
  leafPem = issued.cert
  keyPem = issued.key
  caPem = authority.caPem
  chain = [new X509Certificate(leafPem).raw, new X509Certificate(caPem).raw]
  writeFileSync(file("key.pem"), keyPem)
  writeFileSync(file("leaf.pem"), leafPem)
  writeFileSync(file("ca.pem"), caPem)
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await sample.stop()
})

const tool = "openssl"

function openssl(...args: string[]): Buffer {
  return execFileSync(tool, args, { stdio: ["ignore", "pipe", "pipe"] })
}

const hasOpenssl = (() => {
  try {
    openssl("version")
    return true
  } catch {
    return false
  }
})()

function exportPfx(password: string, ...args: string[]): Buffer {
  const inputs = ["-inkey", file("key.pem"), "-in", file("leaf.pem"), "-certfile", file("ca.pem")]
  openssl("pkcs12", "-export", ...inputs, "-out", file("out.pfx"), "-passout", `pass:${password}`, ...args)
  return readFileSync(file("out.pfx"))
}

describe("imported certificates", () => {
  it("keep their chain and become exportable, from a PFX", async () => {
    const pfx = writePkcs12(createPrivateKey(keyPem), chain)
    const made = await client.importCertificate("from-pfx", pfx, { tags: { a: "1" } })
    expect(Buffer.from(made.cer!)).toEqual(chain[0])
    expect(made.policy).toMatchObject({
      issuerName: "Unknown",
      exportable: true,
      keyUsage: ["digitalSignature"],
      enhancedKeyUsage: ["1.3.6.1.5.5.7.3.1"],
      keyType: "EC",
      keyCurveName: "P-256",
      subjectAlternativeNames: { dnsNames: expect.arrayContaining(["import.example.test"]) },
    })
    const { value, properties } = await sample.secrets().getSecret("from-pfx")
    expect(properties).toMatchObject({ contentType: "application/x-pkcs12", managed: true, tags: { a: "1" } })
    const opened = readPkcs12(Buffer.from(value!, "base64"), "")
    expect(opened.certificates).toEqual(chain)
    expect(opened.privateKeys[0]!.equals(createPrivateKey(keyPem))).toBe(true)
  })

  it.each([
    { name: "key first", text: () => keyPem + leafPem + caPem },
    { name: "authority first", text: () => caPem + leafPem + keyPem },
    { name: "with words between", text: () => `Bag Attributes\n${caPem}subject=CN\n${keyPem}\r\n${leafPem}` },
  ])("find the leaf in a PEM: $name", async ({ text }) => {
    const made = await client.importCertificate("from-pem", Buffer.from(text()), {
      policy: { contentType: "application/x-pem-file" },
    })
    expect(Buffer.from(made.cer!)).toEqual(chain[0])
    const { value } = await sample.secrets().getSecret("from-pem")
    const certificates = value!.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)!
    expect(certificates.map((pem) => new X509Certificate(pem).raw)).toEqual(chain)
    expect(createPrivateKey(value!).equals(createPrivateKey(keyPem))).toBe(true)
  })

  it("are refused once they have expired, and taken until then", async () => {
    const importUntil = async (name: string, notAfter: Date) => {
      const { key, certificates } = aChain({ notAfter })
      const body = JSON.stringify({ value: materialOf(key, certificates) })
      return sample.ask(`/certificates/${name}/import`, { method: "POST", body })
    }
    const expired = await importUntil("expired", new Date(Date.now() - 2000))
    expect(await refusalOf(expired)).toMatchObject({
      status: 400,
      code: "BadParameter",
      message: "X509 Certificate is already expired",
    })
    expect((await importUntil("valid", new Date(Date.now() + 60_000))).status).toBe(200)
  })

  it("can be imported as not exportable", async () => {
    // Sent raw: version 4.10.3 of the client leaves the policy out of an import.
    const policy = {
      key_props: { exportable: false },
      secret_props: { contentType: "application/x-pem-file" },
    }
    const body = JSON.stringify({ value: keyPem + leafPem, policy })
    const response = await sample.ask("/certificates/kept/import", { method: "POST", body })
    expect(response.status).toBe(200)
    expect((await sample.secrets().getSecret("kept")).value).toMatch(/^-----BEGIN CERTIFICATE-----/)
    expect((await sample.secrets().getSecret("kept")).value).not.toContain("PRIVATE KEY")
  })

  it.each([
    { name: "no base64 of a PFX", body: { value: "aGVsbG8=" } },
    { name: "a PEM without a key", body: () => ({ value: caPem }) },
    { name: "a key without its certificate", body: () => ({ value: keyPem + caPem }) },
    {
      name: "a PEM that the policy calls a PFX",
      body: () => ({
        value: keyPem + leafPem,
        policy: { secret_props: { contentType: "application/x-pkcs12" } },
      }),
    },
    {
      name: "a wrong password",
      body: () => ({ value: writePkcs12(createPrivateKey(keyPem), chain).toString("base64"), pwd: "wrong" }),
    },
  ])("are refused with 400: $name", async ({ body }) => {
    const response = await sample.ask("/certificates/refused/import", {
      method: "POST",
      body: JSON.stringify(typeof body === "function" ? body() : body),
    })
    const refusal = await refusalOf(response)
    expect(refusal).toMatchObject({ status: 400, code: "BadParameter" })
    expect(refusal.message).not.toContain("BEGIN")
  })
})

describe("PFX files against the openssl tool", { skip: !hasOpenssl }, () => {
  const encryptions = [
    { name: "the defaults", args: [] },
    {
      name: "triple DES and SHA-1",
      args: ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
    },
    { name: "two-key triple DES", args: ["-keypbe", "PBE-SHA1-2DES", "-certpbe", "PBE-SHA1-2DES"] },
    { name: "AES-128", args: ["-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"] },
    { name: "no encryption", args: ["-keypbe", "NONE", "-certpbe", "NONE"] },
    { name: "no MAC", args: ["-nomac"] },
    { name: "a SHA-512 MAC", args: ["-macalg", "sha512"] },
  ]
  it.each(encryptions)("are read: $name", ({ args }) => {
    for (const password of ["", "pä ss"]) {
      const opened = readPkcs12(exportPfx(password, ...args), password)
      expect(opened.certificates).toEqual(chain)
      expect(opened.privateKeys[0]!.equals(createPrivateKey(keyPem))).toBe(true)
    }
  })

  it("are refused under a wrong password", () => {
    expect(() => readPkcs12(exportPfx("right"), "wrong")).toThrow("Wrong password")
  })

  it("are opened by the tool when written here", () => {
    writeFileSync(file("ours.pfx"), writePkcs12(createPrivateKey(keyPem), chain))
    const printed = openssl("pkcs12", "-in", file("ours.pfx"), "-passin", "pass:", "-nodes").toString()
    expect(createPrivateKey(printed).equals(createPrivateKey(keyPem))).toBe(true)
    expect(printed.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })
})

describe("writePkcs12", () => {
  it("makes what a TLS server takes, with and without a passphrase given", () => {
    const pfx = writePkcs12(createPrivateKey(keyPem), chain)
    expect(() => tls.createSecureContext({ pfx })).not.toThrow()
    expect(() => tls.createSecureContext({ pfx, passphrase: "" })).not.toThrow()
    expect(() => tls.createSecureContext({ pfx, passphrase: "wrong" })).toThrow("mac verify failure")
  })
})

describe("RC2", () => {
  it("opens a file of an older tool", () => {
    // Made once by `openssl pkcs12 -export -legacy` (RC2-40 certificates, triple DES key), password "old".
    const vector = JSON.parse(readFileSync(new URL("rc2Pfx.json", import.meta.url), "utf8")) as Record<
      string,
      string
    >
    const opened = readPkcs12(Buffer.from(vector["pfx"]!, "base64"), vector["password"]!)
    expect(opened.certificates).toHaveLength(1)
    expect(new X509Certificate(opened.certificates[0]!).checkPrivateKey(opened.privateKeys[0]!)).toBe(true)
    expect(() => readPkcs12(Buffer.from(vector["pfx"]!, "base64"), "other")).toThrow("Wrong password")
  })
})
