import { createHash, createPrivateKey, X509Certificate } from "node:crypto"
import tls from "node:tls"
import type { CertificateClient, CertificatePolicy } from "@azure/keyvault-certificates"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readPkcs12 } from "../../../shared/certificate/readPkcs12.ts"
import { type AVault, aVault, collect, refusalOf } from "./aVault.ts"

let sample: AVault
let client: CertificateClient
beforeAll(async () => {
  sample = await aVault({ throttle: false })
  client = sample.certificates()
})
afterAll(() => sample.stop())

const ecPolicy: CertificatePolicy = {
  issuerName: "Self",
  subject: 'CN=example.test, O="Sample, Inc."',
  subjectAlternativeNames: { dnsNames: ["example.test", "www.example.test"], emails: ["a@example.test"] },
  keyType: "EC",
  keyCurveName: "P-256",
  exportable: true,
}

async function create(name: string, policy: CertificatePolicy) {
  const poller = await client.beginCreateCertificate(name, policy, { intervalInMs: 1 })
  return poller.pollUntilDone()
}

describe("created certificates", () => {
  it("exist as certificate, secret and key of one version", async () => {
    const from = sample.changes.length
    const made = await create("Web-Site", ecPolicy)
    const { version } = made.properties
    expect(made.properties.id).toBe(`${sample.vault.url}/certificates/Web-Site/${version}`)
    expect(made.secretId).toBe(`${sample.vault.url}/secrets/Web-Site/${version}`)
    expect(made.keyId).toBe(`${sample.vault.url}/keys/Web-Site/${version}`)
    const leaf = new X509Certificate(Buffer.from(made.cer!))
    expect(leaf.checkHost("www.example.test")).toBe("www.example.test")
    expect(leaf.subject).toBe("CN=example.test\nO=Sample\\, Inc.")
    expect(leaf.verify(leaf.publicKey)).toBe(true)
    expect(Buffer.from(made.properties.x509Thumbprint!)).toEqual(createHash("sha1").update(leaf.raw).digest())
    expect(made.properties.expiresOn).toEqual(new Date(leaf.validTo))
    expect(made.policy).toMatchObject({
      exportable: true,
      keyType: "EC",
      contentType: "application/x-pkcs12",
    })

    const secret = await sample.secrets().getSecret("web-site", { version: version! })
    expect(secret.properties).toMatchObject({
      contentType: "application/x-pkcs12",
      managed: true,
      certificateKeyId: made.keyId,
    })
    const pfx = Buffer.from(secret.value!, "base64")
    expect(() => tls.createSecureContext({ pfx, passphrase: "" })).not.toThrow()
    const opened = readPkcs12(pfx, "")
    expect(opened.certificates[0]).toEqual(leaf.raw)
    expect(leaf.checkPrivateKey(opened.privateKeys[0]!)).toBe(true)

    const told = sample.changes.slice(from)
    expect(told.map(({ eventType }) => eventType)).toEqual([
      "CertificateNewVersionCreated",
      "SecretNewVersionCreated",
      "KeyNewVersionCreated",
    ])
    expect(told.map(({ id }) => id)).toEqual([made.properties.id, made.secretId, made.keyId])
  })

  it("give a PFX of other bytes on each read, of the same content", async () => {
    const read = async () => Buffer.from((await sample.secrets().getSecret("Web-Site")).value!, "base64")
    const [first, second] = [await read(), await read()]
    expect(first).not.toEqual(second)
    expect(readPkcs12(first, "").certificates).toEqual(readPkcs12(second, "").certificates)
    expect(readPkcs12(first, "").privateKeys[0]!.equals(readPkcs12(second, "").privateKeys[0]!)).toBe(true)
  })

  it("come as PEM with a PKCS#8 key when the policy says so", async () => {
    const made = await create("pem", {
      ...ecPolicy,
      keyCurveName: "P-384",
      contentType: "application/x-pem-file",
    })
    const { value, properties } = await sample.secrets().getSecret("pem")
    expect(properties.contentType).toBe("application/x-pem-file")
    expect(value).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    const leaf = new X509Certificate(value!.slice(value!.indexOf("-----BEGIN CERTIFICATE")))
    expect(leaf.raw).toEqual(Buffer.from(made.cer!))
    expect(leaf.checkPrivateKey(createPrivateKey(value!))).toBe(true)
  })

  it("keep a key inside that is not exportable", async () => {
    await create("kept-pfx", { ...ecPolicy, exportable: false })
    await create("kept-pem", { ...ecPolicy, exportable: false, contentType: "application/x-pem-file" })
    const pfx = Buffer.from((await sample.secrets().getSecret("kept-pfx")).value!, "base64")
    expect(readPkcs12(pfx, "")).toMatchObject({ privateKeys: [], certificates: [expect.any(Buffer)] })
    const { value } = await sample.secrets().getSecret("kept-pem")
    expect(value).toMatch(/^-----BEGIN CERTIFICATE-----/)
    expect(value).not.toContain("PRIVATE KEY")
  })

  it.each([
    { name: "rsa", key: { keyType: "RSA", keySize: 2048 }, type: "rsa", details: { modulusLength: 2048 } },
    {
      name: "p521",
      key: { keyType: "EC", keyCurveName: "P-521" },
      type: "ec",
      details: { namedCurve: "secp521r1" },
    },
  ] as const)("have the key the policy asks for: $name", async ({ name, key, type, details }) => {
    const made = await create(`key-${name}`, { issuerName: "Self", subject: "CN=k", ...key })
    const { publicKey } = new X509Certificate(Buffer.from(made.cer!))
    expect(publicKey.asymmetricKeyType).toBe(type)
    expect(publicKey.asymmetricKeyDetails).toMatchObject(details)
  })

  it("keep the key over versions when the policy reuses it", async () => {
    const first = await create("reused", { ...ecPolicy, reuseKey: true })
    const second = await create("reused", { ...ecPolicy, reuseKey: true })
    const keyOf = (made: { cer?: Uint8Array }) => new X509Certificate(Buffer.from(made.cer!)).publicKey
    expect(second.properties.version).not.toBe(first.properties.version)
    expect(keyOf(second).equals(keyOf(first))).toBe(true)
  })

  it("answer 202 with a request and a location first", async () => {
    const response = await sample.ask("/certificates/raw/create", {
      method: "POST",
      body: JSON.stringify({
        policy: { x509_props: { subject: "CN=raw" }, key_props: { kty: "EC", crv: "P-256" } },
      }),
    })
    expect(response.status).toBe(202)
    expect(response.headers.get("location")).toBe(
      `${sample.vault.url}/certificates/raw/pending?api-version=2025-07-01`,
    )
    await expect(response.json()).resolves.toMatchObject({
      status: "inProgress",
      csr: expect.stringMatching(/^MI/),
    })
    const pending = await sample.ask("/certificates/raw/pending")
    await expect(pending.json()).resolves.toMatchObject({
      status: "completed",
      target: `${sample.vault.url}/certificates/raw`,
    })
    expect(await refusalOf(await sample.ask("/certificates/other/pending"))).toMatchObject({ status: 404 })
  })

  it.each([
    { name: "another issuer", policy: { issuer: { name: "DigiCert" }, x509_props: { subject: "CN=x" } } },
    {
      name: "a subject that is none",
      policy: { x509_props: { subject: "example" }, key_props: { kty: "EC" } },
    },
    { name: "an odd key size", policy: { x509_props: { subject: "CN=x" }, key_props: { key_size: 1024 } } },
    {
      name: "a name the certificate cannot carry",
      policy: { x509_props: { subject: "CN=x", sans: { upns: ["a@b"] } } },
    },
    { name: "no policy", policy: undefined },
  ])("are refused with 400: $name", async ({ policy }) => {
    const response = await sample.ask("/certificates/refused/create", {
      method: "POST",
      body: JSON.stringify({ policy }),
    })
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: "BadParameter" })
  })
})

describe("the life of a certificate", () => {
  it("lists versions and certificates, and updates", async () => {
    const first = await create("listed", ecPolicy)
    await create("listed", ecPolicy)
    const versions = await collect(client.listPropertiesOfCertificateVersions("listed"))
    expect(versions).toHaveLength(2)
    expect(versions.map(({ version }) => version)).toContain(first.properties.version)
    const names = (await collect(client.listPropertiesOfCertificates())).map(({ name }) => name)
    expect(names.filter((name) => name === "listed")).toHaveLength(1)
    const secrets = await collect(sample.secrets().listPropertiesOfSecrets())
    expect(secrets.find(({ name }) => name === "listed")).toMatchObject({ managed: true })
    const tags = { owner: "a" }
    await client.updateCertificateProperties("listed", first.properties.version!, { tags, enabled: false })
    const read = await client.getCertificateVersion("listed", first.properties.version!)
    expect(read.properties).toMatchObject({ tags, enabled: false })
    await expect(
      sample.secrets().getSecret("listed", { version: first.properties.version! }),
    ).rejects.toMatchObject({ statusCode: 403 })
  })

  it("changes the policy without touching versions", async () => {
    await create("policy", ecPolicy)
    await client.updateCertificatePolicy("policy", { ...ecPolicy, contentType: "application/x-pem-file" })
    await expect(client.getCertificatePolicy("policy")).resolves.toMatchObject({
      contentType: "application/x-pem-file",
      subject: ecPolicy.subject,
    })
    const { properties } = await sample.secrets().getSecret("policy")
    expect(properties.contentType).toBe("application/x-pkcs12")
  })

  it("hides the secret of a deleted certificate until it is recovered", async () => {
    const made = await create("removed", ecPolicy)
    const deleted = await (
      await client.beginDeleteCertificate("removed", { intervalInMs: 1 })
    ).pollUntilDone()
    expect(deleted).toMatchObject({
      name: "removed",
      recoveryId: expect.stringContaining("/deletedcertificates/"),
    })
    await expect(client.getCertificate("removed")).rejects.toMatchObject({
      statusCode: 404,
      code: "CertificateNotFound",
    })
    await expect(sample.secrets().getSecret("removed")).rejects.toMatchObject({ code: "SecretNotFound" })
    await expect(sample.secrets().setSecret("removed", "v")).rejects.toMatchObject({ statusCode: 409 })
    await expect(create("removed", ecPolicy)).rejects.toMatchObject({ statusCode: 409, code: "Conflict" })
    expect((await collect(client.listDeletedCertificates())).map(({ name }) => name)).toContain("removed")
    await (await client.beginRecoverDeletedCertificate("removed", { intervalInMs: 1 })).pollUntilDone()
    await expect(
      sample.secrets().getSecret("removed", { version: made.properties.version! }),
    ).resolves.toMatchObject({ properties: { managed: true } })
    await (await client.beginDeleteCertificate("removed", { intervalInMs: 1 })).pollUntilDone()
    await client.purgeDeletedCertificate("removed")
    await create("removed", ecPolicy)
    expect(await collect(client.listPropertiesOfCertificateVersions("removed"))).toHaveLength(1)
  })

  it("refuses to change the secret behind a certificate, or to take a secret's name", async () => {
    await create("owned", ecPolicy)
    const inner = { details: { error: { innerError: { code: "SecretManagedByKeyVault" } } } }
    await expect(sample.secrets().setSecret("owned", "v")).rejects.toMatchObject(inner)
    await expect(sample.secrets().beginDeleteSecret("owned")).rejects.toMatchObject(inner)
    await sample.secrets().setSecret("plain", "v")
    await expect(create("plain", ecPolicy)).rejects.toMatchObject({ statusCode: 409 })
  })
})

describe("certificateEvents", () => {
  it("chooses which of the three are raised", async () => {
    const quiet = await aVault({ certificateEvents: ["secret"] })
    try {
      await quiet.ask("/certificates/one/create", {
        method: "POST",
        body: JSON.stringify({ policy: { x509_props: { subject: "CN=x" }, key_props: { kty: "EC" } } }),
      })
      expect(quiet.changes.map(({ eventType }) => eventType)).toEqual(["SecretNewVersionCreated"])
      quiet.vault.raiseExpiry("certificate", "one", "NearExpiry")
      expect(quiet.changes.at(-1)).toMatchObject({ eventType: "CertificateNearExpiry", objectName: "one" })
    } finally {
      await quiet.stop()
    }
  })
})
