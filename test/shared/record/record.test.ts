import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { buildRecord, parseRecord, serializeRecord } from "../../../shared/record/record.ts"
import type { CertificateReading, SecretReading } from "../../../shared/vault/vaultReader.ts"
import { aChange, anObject, aReading } from "../../support/builders.ts"

const readAt = new Date("2026-03-01T10:00:06.789Z")
const bytes = (json: unknown) => Buffer.from(JSON.stringify(json), "utf8")

function build(reading: Partial<SecretReading> = {}, value = "hunter2", change = aChange()) {
  const id = "https://kv-test.vault.azure.net/secrets/db-password/x"
  const full = { id, tags: {}, attributes: { enabled: true }, managed: false, ...reading }
  return buildRecord({ object: change.object, secret: full }, change.event, value, readAt)
}

describe("buildRecord", () => {
  it("is the documented form, field by field", () => {
    const attributes = {
      enabled: true,
      created: new Date("2026-03-01T10:00:00Z"),
      updated: new Date("2026-03-01T10:00:01Z"),
      notBefore: new Date("2026-01-01T00:00:00Z"),
      expires: new Date("2027-01-01T00:00:00Z"),
      recoveryLevel: "Recoverable+Purgeable",
      recoverableDays: 90,
    }
    expect(build({ attributes, contentType: "text/plain", tags: { a: "b" }, managed: false })).toEqual({
      format: "keyvault-backup/1",
      object: {
        id: "https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001",
        vault: "https://kv-test.vault.azure.net",
        kind: "secret",
        name: "db-password",
        version: "00000000000000000000000000000001",
      },
      attributes: {
        enabled: true,
        created: "2026-03-01T10:00:00Z",
        updated: "2026-03-01T10:00:01Z",
        notBefore: "2026-01-01T00:00:00Z",
        expires: "2027-01-01T00:00:00Z",
        recoveryLevel: "Recoverable+Purgeable",
        recoverableDays: 90,
      },
      contentType: "text/plain",
      tags: { a: "b" },
      managed: false,
      value: "hunter2",
      event: aChange().event,
      readAt: "2026-03-01T10:00:06.789Z",
    })
  })

  it("leaves out what does not exist", () => {
    const { event: _event, ...withoutEvent } = aChange()
    const record = build({}, "", withoutEvent)
    expect(Object.keys(record)).toEqual([
      "format",
      "object",
      "attributes",
      "tags",
      "managed",
      "value",
      "readAt",
    ])
    expect(record.attributes).toEqual({ enabled: true })
    expect(record.value).toBe("")
  })

  it("takes the ids from the change, not from the vault's spelling", () => {
    expect(build({ id: "https://OTHER/secrets/X/y" }).object.id).toContain("/secrets/db-password/")
  })
})

describe("buildRecord of a certificate", () => {
  const cer = Buffer.from("not looked at")
  const object = anObject({ kind: "certificate", name: "tls" })
  const at = new Date("2026-03-01T10:00:00Z")
  const certificate: CertificateReading = {
    id: "x",
    keyId: "https://kv-test.vault.azure.net/keys/tls/1",
    secretId: "https://kv-test.vault.azure.net/secrets/tls/1",
    cer,
    policy: { key_props: { exportable: false }, lifetime_actions: [{ trigger: { days_before_expiry: 30 } }] },
    tags: { of: "the certificate" },
    attributes: { enabled: true, created: at, expires: new Date("2027-03-01T10:00:00Z") },
  }
  const secret: SecretReading = {
    id: "x",
    tags: { of: "the secret" },
    attributes: { enabled: true },
    contentType: "application/x-pkcs12",
    managed: true,
  }
  const buildIt = (privateKey?: "absentByPolicy") =>
    buildRecord({ object, secret, certificate, ...(privateKey ? { privateKey } : {}) }, undefined, "AA==", at)

  it("has the certificate's attributes and tags, the secret's value and content type, and the policy whole", () => {
    expect(buildIt("absentByPolicy")).toEqual({
      format: "keyvault-backup/1",
      object: {
        id: `https://kv-test.vault.azure.net/certificates/tls/${object.version}`,
        vault: "https://kv-test.vault.azure.net",
        kind: "certificate",
        name: "tls",
        version: object.version,
      },
      attributes: { enabled: true, created: "2026-03-01T10:00:00Z", expires: "2027-03-01T10:00:00Z" },
      contentType: "application/x-pkcs12",
      tags: { of: "the certificate" },
      managed: true,
      value: "AA==",
      certificate: {
        cer: cer.toString("base64"),
        policy: certificate.policy,
        sid: certificate.secretId,
        kid: certificate.keyId,
        thumbprint: createHash("sha1").update(cer).digest("hex"),
        privateKey: "absentByPolicy",
      },
      readAt: "2026-03-01T10:00:00.000Z",
    })
    expect(buildIt().certificate?.privateKey).toBe("present")
  })

  it("is read back unchanged, also a policy with a member that is named like the prototype", () => {
    expect(parseRecord(serializeRecord(buildIt()))).toEqual(buildIt())
    const record = buildIt()
    const policy = '{"__proto__":{"a":1},"constructor":2}'
    const odd = { ...record, certificate: { ...record.certificate, policy: JSON.parse(policy) as object } }
    expect(JSON.stringify(parseRecord(bytes(odd)).certificate?.policy)).toBe(policy)
  })

  it.each([
    { name: "a thumbprint that is none", change: { thumbprint: "hunter2" }, field: "certificate.thumbprint" },
    {
      name: "a private key of a third kind",
      change: { privateKey: "hunter2" },
      field: "certificate.privateKey",
    },
    { name: "a cer that is no base64", change: { cer: "hunter2!" }, field: "certificate.cer" },
    { name: "a policy that is no object", change: { policy: "hunter2" }, field: "certificate.policy" },
  ])("is refused with $name, by the field and without a quotation", ({ change, field }) => {
    const record = buildIt()
    const given = bytes({ ...record, certificate: { ...record.certificate, ...change } })
    expect(() => parseRecord(given)).toThrow(expect.objectContaining({ code: "ERR_SEAL_INTEGRITY" }))
    expect(() => parseRecord(given)).toThrow(field)
    expect(() => parseRecord(given)).not.toThrow(/hunter2/)
  })
})

describe("serializeRecord and parseRecord", () => {
  it.each([
    { name: "plain text", value: "hunter2" },
    { name: "nothing", value: "" },
    { name: "a trailing line break", value: "a\r\n" },
    { name: "a byte order mark", value: "\uFEFFa" },
    { name: "a zero character", value: "a\0b" },
    { name: "percent signs", value: "100%25%" },
    { name: "emoji", value: "👩‍👩‍👧" },
    { name: "half a surrogate pair", value: "a\uD800b" },
    { name: "the replacement character itself", value: "\uFFFD" },
    { name: "line separators", value: "\u2028\u2029" },
    { name: "25,600 bytes of three each", value: "€".repeat(8533) },
  ])("keep the value to the byte: $name", ({ value }) => {
    const record = build({ contentType: value, tags: { [value]: value } }, value)
    expect(parseRecord(serializeRecord(record))).toEqual(record)
  })

  it("keep a tag that is named like the prototype", () => {
    const tags = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}') as Record<string, string>
    const parsed = parseRecord(serializeRecord(build({ tags })))
    expect(Object.entries(parsed.tags)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ])
  })

  it.each([
    { name: "the year 10000", expires: new Date("+010000-01-01T00:00:00Z") },
    { name: "the last moment there is", expires: new Date(8.64e15) },
    { name: "before the year 0", expires: new Date(-8.64e15) },
  ])("keep an expiry in $name: what was sealed must open", ({ expires }) => {
    const record = build({ attributes: { enabled: true, expires } })
    const parsed = parseRecord(serializeRecord(record))
    expect(new Date(parsed.attributes.expires ?? "")).toEqual(expires)
  })

  it("say so when the record is of a newer format", () => {
    const newer = bytes({ ...build(), format: "keyvault-backup/2", value: { v: "hunter2" } })
    expect(() => parseRecord(newer)).toThrow(
      expect.objectContaining({
        code: "ERR_FORMAT_NEWER",
        message: expect.stringContaining("keyvault-backup/2"),
      }),
    )
    expect(() => parseRecord(newer)).not.toThrow(/hunter2/)
  })

  const record = build()
  const without = (key: keyof typeof record) => ({ ...record, [key]: undefined })
  it.each([
    { name: "no JSON", given: Buffer.from("hunter2"), field: "" },
    { name: "bytes that are no UTF-8", given: Buffer.from([0x22, 0xff, 0x22]), field: "" },
    { name: "half of it", given: serializeRecord(record).subarray(0, 200), field: "" },
    { name: "a list", given: bytes(["hunter2"]), field: "" },
    { name: "null", given: bytes(null), field: "" },
    { name: "text", given: bytes("hunter2"), field: "" },
    { name: "a foreign format", given: bytes({ ...record, format: "hunter2" }), field: "format" },
    {
      name: "a format that looks newer and is none",
      given: bytes({ ...record, format: "keyvault-backup/2 hunter2" }),
      field: "format",
    },
    { name: "no value", given: bytes(without("value")), field: "value" },
    { name: "a value that is no text", given: bytes({ ...record, value: ["hunter2"] }), field: "value" },
    {
      name: "a tag that is no text",
      given: bytes({ ...record, tags: { a: { hunter2: 1 } } }),
      field: "tags",
    },
    { name: "tags that are no object", given: bytes({ ...record, tags: "hunter2" }), field: "tags" },
    {
      name: "a foreign kind",
      given: bytes({ ...record, object: { ...record.object, kind: "hunter2" } }),
      field: "object.kind",
    },
    { name: "a time that is none", given: bytes({ ...record, readAt: "hunter2" }), field: "readAt" },
  ])("refuse $name, name the field and quote nothing", ({ given, field }) => {
    let thrown: unknown
    try {
      parseRecord(given)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: "ERR_SEAL_INTEGRITY" })
    expect(String(thrown)).toContain(field)
    expect(String(thrown)).not.toContain("hunter2")
  })

  it("do not quote the name of a tag either", () => {
    const given = bytes({ ...record, tags: { "hunter2-tag": 5 } })
    expect(() => parseRecord(given)).not.toThrow(/hunter2/)
  })

  it("reads a record although it has members that a later release of the format added", () => {
    expect(parseRecord(bytes({ ...record, added: 1 }))).toEqual(record)
  })

  it("is about the object that the builder names", () => {
    expect(build({}, "x", aChange({ object: anObject({ version: 7 }) })).object.version).toMatch(/7$/)
    expect(aReading({ value: "x" }).value?.reveal()).toBe("x")
  })
})
