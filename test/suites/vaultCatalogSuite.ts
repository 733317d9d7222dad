import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { formatVersionUrl, type ObjectVersion } from "../../shared/change/objectVersion.ts"
import type { VaultCatalog } from "../../shared/vault/vaultCatalog.ts"
import { collect } from "../support/collect.ts"
import type { NewCertificate, NewSecret } from "./vaultReaderSuite.ts"

export interface VaultCatalogSubject {
  readonly catalog: VaultCatalog
  /** `https://host[:port]`. */
  readonly vault: string
  set(name: string, secret: NewSecret): Promise<ObjectVersion>
  setCertificate(name: string, certificate: NewCertificate): Promise<ObjectVersion>
  stop(): Promise<void>
}

export interface VaultCatalogSuite {
  readonly name: string
  create(): Promise<VaultCatalogSubject>
}

/** What every VaultCatalog promises. */
export function vaultCatalogSuite({ name, create }: VaultCatalogSuite): void {
  describe(`${name} as VaultCatalog`, () => {
    let subject: VaultCatalogSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    const list = () => collect(subject.catalog.listSecretVersions(subject.vault))
    const idsOf = (versions: readonly { readonly object: ObjectVersion }[]) =>
      versions.map(({ object }) => formatVersionUrl(object)).sort()

    it("lists nothing of an empty vault", async () => {
      await expect(list()).resolves.toEqual([])
    })

    it("lists every version of every secret once, more than a page of each", async () => {
      const set: ObjectVersion[] = []
      for (let n = 0; n < 30; n++) set.push(await subject.set(`many-${n}`, { value: "x" }))
      for (let n = 0; n < 30; n++) set.push(await subject.set("deep", { value: `${n}` }))
      expect(idsOf(await list())).toEqual(idsOf(set.map((object) => ({ object }))))
    })

    it("lists disabled versions too, and tells them apart", async () => {
      const off = await subject.set("off", { value: "x", enabled: false })
      const found = (await list()).find(({ object }) => formatVersionUrl(object) === formatVersionUrl(off))
      expect(found).toMatchObject({ attributes: { enabled: false }, managed: false })
      expect(found?.attributes.created).toBeInstanceOf(Date)
    })

    it("lists no values", async () => {
      await subject.set("value", { value: "hunter2-hunter2" })
      expect(JSON.stringify(await list())).not.toContain("hunter2")
    })

    const listCertificates = () => collect(subject.catalog.listCertificateVersions(subject.vault))

    it("lists no certificate where there is none", async () => {
      await expect(listCertificates()).resolves.toEqual([])
    })

    it("lists every version of every certificate once, more than a page of each, disabled ones too", async () => {
      const made: ObjectVersion[] = []
      for (let n = 0; n < 26; n++) made.push(await subject.setCertificate(`tls-${n}`, {}))
      for (let n = 0; n < 26; n++) made.push(await subject.setCertificate("tls-deep", { enabled: n > 0 }))
      const listed = await listCertificates()
      expect(idsOf(listed)).toEqual(idsOf(made.map((object) => ({ object }))))
      expect(listed.filter(({ attributes }) => !attributes.enabled)).toHaveLength(1)
      expect(new Set(listed.map(({ object }) => object.kind))).toEqual(new Set(["certificate"]))
    })

    it("lists the secret behind each certificate as managed, under the same name and version", async () => {
      const made = await subject.setCertificate("tls-managed", {})
      const behind = (await list()).find(({ object }) => object.name === "tls-managed")
      expect(behind).toMatchObject({ object: { kind: "secret", version: made.version }, managed: true })
    })
  })
}
