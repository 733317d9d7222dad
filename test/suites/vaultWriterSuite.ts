import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readVersion } from "../../shared/backup/readVersion.ts"
import { contentTypes } from "../support/aChain.ts"
import { pemContentType, pkcs12ContentType } from "../../shared/certificate/certificateMaterial.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import type { VaultReader } from "../../shared/vault/vaultReader.ts"
import type { NewCertificate, NewSecret, VaultWriter } from "../../shared/vault/vaultWriter.ts"
import { aChain, materialOf } from "../support/aChain.ts"

export interface VaultWriterSubject {
  readonly writer: VaultWriter
  readonly reader: VaultReader
  /** `https://host[:port]`. */
  readonly vault: string
  /** Deletes an object as a person would; the name can be recovered. */
  softDelete(kind: "secret" | "certificate", name: string): Promise<void>
  stop(): Promise<void>
}

export interface VaultWriterSuite {
  readonly name: string
  create(): Promise<VaultWriterSubject>
}

/** A secret version to be made. */
export function aNewSecret(more: Partial<Omit<NewSecret, "value">> & { readonly value?: string } = {}) {
  const { value = "hunter2", ...rest } = more
  return { tags: {}, enabled: true, ...rest, value: new SecretValue(value) } satisfies NewSecret
}

/** A certificate version to be made, of a fresh chain. */
export function aNewCertificate(more: Partial<Omit<NewCertificate, "material">> = {}, chain = aChain()) {
  const { contentType = pkcs12ContentType } = more
  return {
    material: new SecretValue(materialOf(chain.key, chain.certificates, contentType)),
    tags: {},
    enabled: true,
    policy: { secret_props: { contentType } },
    ...more,
    contentType,
  } satisfies NewCertificate
}

/** What every VaultWriter promises. */
export function vaultWriterSuite({ name, create }: VaultWriterSuite): void {
  describe(`${name} as VaultWriter`, () => {
    let subject: VaultWriterSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    const look = (name: string) => subject.writer.look(subject.vault, name)
    const setSecret = (name: string, more: Parameters<typeof aNewSecret>[0] = {}) =>
      subject.writer.setSecret(subject.vault, name, aNewSecret(more))

    it("calls a name free that nothing has", async () => {
      await expect(look("nobody")).resolves.toEqual({ state: "free" })
    })

    it("makes a secret version with all it is given, to the byte", async () => {
      const made = await setSecret("whole", {
        value: "a\u0000b\r\n🔑",
        contentType: "text/plain; ü",
        tags: { owner: "team ü", "kvb-restored-from": "x" },
        notBefore: new Date("2020-01-01T00:00:00Z"),
        expires: new Date("2020-02-01T00:00:00Z"),
      })
      expect(made).toMatchObject({ vault: subject.vault, kind: "secret", name: "whole" })
      const { secret } = await readVersion(made, subject.reader)
      expect(secret.value?.reveal()).toBe("a\u0000b\r\n🔑")
      expect(secret).toMatchObject({
        contentType: "text/plain; ü",
        tags: { owner: "team ü", "kvb-restored-from": "x" },
        attributes: {
          enabled: true,
          notBefore: new Date("2020-01-01T00:00:00Z"),
          expires: new Date("2020-02-01T00:00:00Z"),
        },
      })
    })

    it("makes an empty secret, without content type, tags and times", async () => {
      const { secret } = await readVersion(await setSecret("empty", { value: "" }), subject.reader)
      expect(secret.value?.reveal()).toBe("")
      expect([secret.contentType, secret.attributes.expires]).toEqual([undefined, undefined])
    })

    it("tells the newest version of a taken name, and its tags", async () => {
      await setSecret("taken", { value: "1", tags: { n: "1" } })
      const newest = await setSecret("taken", { value: "2", tags: { n: "2" } })
      await expect(look("TAKEN")).resolves.toEqual({
        state: "taken",
        current: newest,
        enabled: true,
        tags: { n: "2" },
      })
    })

    it("makes another version at each call", async () => {
      const [one, two] = [await setSecret("twice"), await setSecret("twice")]
      expect(one.version).not.toBe(two.version)
    })

    it("tells a disabled newest version with its tags", async () => {
      const made = await setSecret("off", { enabled: false, tags: { a: "b" } })
      await expect(look("off")).resolves.toEqual({
        state: "taken",
        current: made,
        enabled: false,
        tags: { a: "b" },
      })
    })

    it.each(contentTypes)(
      "imports a certificate of %s with its whole chain, policy and tags",
      async (contentType) => {
        const chain = aChain({ length: 3 })
        const name = contentType === pemContentType ? "imported-pem" : "imported-pfx"
        const certificate = aNewCertificate(
          {
            contentType,
            tags: { owner: "team-c" },
            policy: {
              secret_props: { contentType },
              key_props: { exportable: true },
              lifetime_actions: [{ action: { action_type: "EmailContacts" } }],
            },
          },
          chain,
        )
        const { object, isPolicyKept } = await subject.writer.importCertificate(
          subject.vault,
          name,
          certificate,
        )
        expect({ object, isPolicyKept }).toMatchObject({
          object: { kind: "certificate", name },
          isPolicyKept: true,
        })
        const reading = await readVersion(object, subject.reader)
        expect(reading.privateKey).toBe("present")
        expect(reading.secret.contentType).toBe(contentType)
        expect(Buffer.from(reading.certificate!.cer)).toEqual(Buffer.from(chain.certificates[0]))
        expect(reading.certificate).toMatchObject({
          tags: { owner: "team-c" },
          policy: { lifetime_actions: [{ action: { action_type: "EmailContacts" } }] },
        })
      },
    )

    it("tells a certificate under the name that its secret has, disabled or not", async () => {
      for (const enabled of [true, false]) {
        const made = await subject.writer.importCertificate(
          subject.vault,
          `tls-${enabled}`,
          aNewCertificate({ enabled, tags: { e: "1" } }),
        )
        await expect(look(`tls-${enabled}`)).resolves.toEqual({
          state: "taken",
          current: made.object,
          enabled,
          tags: { e: "1" },
        })
      }
    })

    it("refuses to import over a secret", async () => {
      await setSecret("plain")
      await expect(
        subject.writer.importCertificate(subject.vault, "plain", aNewCertificate()),
      ).rejects.toMatchObject({ code: "ERR_RESTORE_TARGET_EXISTS" })
    })

    it("tells a deleted name, of either kind, and puts nothing there (C41)", async () => {
      await setSecret("gone-secret")
      await subject.writer.importCertificate(subject.vault, "gone-tls", aNewCertificate())
      await subject.softDelete("secret", "gone-secret")
      await subject.softDelete("certificate", "gone-tls")
      const refused = { code: "ERR_RESTORE_TARGET_DELETED", hint: expect.stringContaining("purge") as string }
      for (const name of ["gone-secret", "gone-tls"]) {
        await expect(look(name)).resolves.toEqual({ state: "deleted" })
        await expect(setSecret(name)).rejects.toMatchObject(refused)
        await expect(
          subject.writer.importCertificate(subject.vault, name, aNewCertificate()),
        ).rejects.toMatchObject(refused)
      }
    })
  })
}
