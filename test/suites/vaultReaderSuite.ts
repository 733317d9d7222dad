import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  openMaterial,
  pemContentType,
  pkcs12ContentType,
} from "../../shared/certificate/certificateMaterial.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import type { VaultReader } from "../../shared/vault/vaultReader.ts"
import { versionId } from "../support/builders.ts"

/** What a person gives a secret when setting it. */
export interface NewSecret {
  readonly value: string
  readonly contentType?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly enabled?: boolean
  readonly notBefore?: Date
  readonly expires?: Date
}

/** What a person gives a certificate when making it: an EC key, signed by itself. */
export interface NewCertificate {
  readonly contentType?: "application/x-pkcs12" | "application/x-pem-file"
  readonly exportable?: boolean
  readonly tags?: Readonly<Record<string, string>>
  readonly enabled?: boolean
}

export interface VaultReaderSubject {
  readonly reader: VaultReader
  /** Sets a secret as a person would; the vault chooses the version. */
  set(name: string, secret: NewSecret): Promise<ObjectVersion>
  /** Makes a certificate as a person would; the vault chooses the version, which is also that of its secret. */
  setCertificate(name: string, certificate: NewCertificate): Promise<ObjectVersion>
  stop(): Promise<void>
}

export interface VaultReaderSuite {
  readonly name: string
  create(): Promise<VaultReaderSubject>
}

/** Values that have been damaged by tools in between, by name. */
export const awkwardValues: readonly { readonly name: string; readonly value: string }[] = [
  { name: "plain text", value: "hunter2" },
  { name: "nothing", value: "" },
  { name: "line breaks", value: "a\r\nb\n" },
  { name: "a byte order mark", value: "\uFEFFa" },
  { name: "a zero character", value: "a\0b" },
  { name: "percent signs", value: "100%25%" },
  { name: "quotes and backslashes", value: String.raw`"\"\\u0041"` },
  { name: "emoji", value: "👩‍👩‍👧" },
  { name: "JSON", value: '{"a":1}' },
  { name: "a number", value: "0123" },
  { name: "25,599 bytes of three each", value: "€".repeat(8533) },
]

/** What every VaultReader promises. */
export function vaultReaderSuite({ name, create }: VaultReaderSuite): void {
  describe(`${name} as VaultReader`, () => {
    let subject: VaultReaderSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())

    it.each(awkwardValues)("reads a value to the byte: $name", async ({ name: what, value }) => {
      const object = await subject.set(`value-${what.replaceAll(/[^a-z0-9]/g, "-")}`, { value })
      const reading = await subject.reader.readSecret(object)
      expect(reading.value?.reveal()).toBe(value)
    })

    it("reads exactly the version asked for, although there is a newer one", async () => {
      const first = await subject.set("versions", { value: "first", tags: { n: "1" } })
      const second = await subject.set("versions", { value: "second", tags: { n: "2" } })
      expect(first.version).not.toBe(second.version)
      const reading = await subject.reader.readSecret(first)
      expect([reading.value?.reveal(), reading.tags]).toEqual(["first", { n: "1" }])
      expect(reading.id).toBe(formatVersionUrl(first))
    })

    it("reads attributes, tags and content type, in whole seconds", async () => {
      const notBefore = new Date("2026-01-01T00:00:00Z")
      const expires = new Date("2030-01-01T00:00:00Z")
      const tags = { owner: "team-a", "mit Umlaut": "äöü", empty: "" }
      const object = await subject.set("attributes", {
        value: "x",
        contentType: "text/plain; v=1",
        tags,
        notBefore,
        expires,
      })
      const reading = await subject.reader.readSecret(object)
      expect(reading).toMatchObject({
        contentType: "text/plain; v=1",
        tags,
        managed: false,
        attributes: { enabled: true, notBefore, expires },
      })
      expect(reading.attributes.created?.getMilliseconds()).toBe(0)
      expect(reading.attributes.updated?.getMilliseconds()).toBe(0)
    })

    it("has neither content type nor tags where there are none", async () => {
      const reading = await subject.reader.readSecret(await subject.set("bare", { value: "x" }))
      expect(reading.contentType).toBeUndefined()
      expect(reading.tags).toEqual({})
    })

    it("never shows the value by accident", async () => {
      const reading = await subject.reader.readSecret(await subject.set("hidden", { value: "hunter2" }))
      expect(JSON.stringify(reading)).not.toContain("hunter2")
    })

    it("says that the version is disabled, by its id", async () => {
      const object = await subject.set("disabled", { value: "x", enabled: false })
      await expect(subject.reader.readSecret(object)).rejects.toMatchObject({
        code: "ERR_VAULT_VERSION_DISABLED",
        details: { object: formatVersionUrl(object) },
      })
    })

    it.each([
      { name: "the version", secret: "present" },
      { name: "the secret", secret: "never-set" },
    ])("says that the vault has not $name", async ({ secret }) => {
      const present = await subject.set("present", { value: "x" })
      const object = { ...present, name: secret, version: versionId(0xdead) }
      await expect(subject.reader.readSecret(object)).rejects.toMatchObject({
        code: "ERR_VAULT_VERSION_ABSENT",
        details: { object: formatVersionUrl(object) },
      })
    })

    const secretOf = (object: ObjectVersion): ObjectVersion => ({ ...object, kind: "secret" })
    const open = async (object: ObjectVersion) => {
      const { value, contentType } = await subject.reader.readSecret(secretOf(object))
      return openMaterial(value?.reveal() ?? "", contentType)
    }

    it.each([pkcs12ContentType, pemContentType] as const)(
      "reads a certificate: leaf, policy, ids, tags, and the key in its secret: %s",
      async (contentType) => {
        const tags = { owner: "team-c", "mit Umlaut": "äöü" }
        const name = contentType === pemContentType ? "tls-pem" : "tls-pfx"
        const object = await subject.setCertificate(name, { contentType, tags })
        const reading = await subject.reader.readCertificate(object)
        expect(reading).toMatchObject({
          id: formatVersionUrl(object),
          secretId: formatVersionUrl(secretOf(object)),
          keyId: formatVersionUrl(object).replace("/certificates/", "/keys/"),
          tags,
          attributes: { enabled: true },
          policy: { key_props: { exportable: true }, secret_props: { contentType } },
        })
        expect(reading.attributes.created?.getMilliseconds()).toBe(0)
        const { certificates, privateKeys } = await open(object)
        expect(certificates.map(({ raw }) => raw)).toEqual([Buffer.from(reading.cer)])
        expect(certificates[0]?.checkPrivateKey(privateKeys[0]!)).toBe(true)
      },
    )

    it("says of the secret behind a certificate that it is managed", async () => {
      const object = await subject.setCertificate("managed", {})
      const secret = await subject.reader.readSecret(secretOf(object))
      expect(secret).toMatchObject({ managed: true, contentType: pkcs12ContentType })
    })

    it("reads a certificate whose key stays in the vault without its key", async () => {
      const object = await subject.setCertificate("kept", { exportable: false })
      const { policy } = await subject.reader.readCertificate(object)
      expect(policy).toMatchObject({ key_props: { exportable: false } })
      const { certificates, privateKeys } = await open(object)
      expect([certificates.length, privateKeys.length]).toEqual([1, 0])
    })

    it("reads exactly the certificate version asked for, although there is a newer one", async () => {
      const first = await subject.setCertificate("renewed", { tags: { n: "1" } })
      const second = await subject.setCertificate("renewed", { tags: { n: "2" } })
      const [one, two] = await Promise.all(
        [first, second].map((each) => subject.reader.readCertificate(each)),
      )
      expect([one?.tags, two?.tags]).toEqual([{ n: "1" }, { n: "2" }])
      expect(Buffer.from(one!.cer).equals(two!.cer)).toBe(false)
    })

    it("reads the public part of a disabled certificate, and not its secret", async () => {
      const object = await subject.setCertificate("off", { enabled: false })
      await expect(subject.reader.readCertificate(object)).resolves.toMatchObject({
        attributes: { enabled: false },
      })
      await expect(subject.reader.readSecret(secretOf(object))).rejects.toMatchObject({
        code: "ERR_VAULT_VERSION_DISABLED",
      })
    })

    it("says that the vault has not the certificate version", async () => {
      const there = await subject.setCertificate("there", {})
      for (const object of [
        { ...there, version: versionId(0xdead) },
        { ...there, name: "never-made" },
      ]) {
        await expect(subject.reader.readCertificate(object)).rejects.toMatchObject({
          code: "ERR_VAULT_VERSION_ABSENT",
          details: { object: formatVersionUrl(object) },
        })
      }
    })
  })
}
