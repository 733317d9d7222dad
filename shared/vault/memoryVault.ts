import type { ObjectVersion } from "../change/objectVersion.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { ListedVersion, VaultCatalog } from "./vaultCatalog.ts"
import type { CertificateReading, SecretReading, VaultReader } from "./vaultReader.ts"

/** A vault in memory that is read through the same ports as a real one. */
export interface MemoryVault extends VaultReader, VaultCatalog {
  /** Puts one version in; `reading.id` and defaults are filled in. */
  set(object: ObjectVersion, reading: Partial<SecretReading>): void
  /** Puts one certificate version in; its secret is put in apart. */
  setCertificate(
    object: ObjectVersion,
    reading: Pick<CertificateReading, "cer"> & Partial<CertificateReading>,
  ): void
  /** Tags of one version, disabled or not; none of a version that is not there. */
  tagsOf(object: ObjectVersion): Promise<Readonly<Record<string, string>>>
  /** How often a version was read. */
  readonly reads: number
}

/** An empty vault. Disabled versions and missing ones answer as the service does. */
export function createMemoryVault(): MemoryVault {
  const versions = new Map<string, { object: ObjectVersion; reading: SecretReading }>()
  const certificates = new Map<string, { object: ObjectVersion; reading: CertificateReading }>()
  let reads = 0
  return {
    get reads() {
      return reads
    },
    set: (object, reading) => {
      const id = formatVersionUrl(object)
      versions.set(id, {
        object,
        reading: { id, tags: {}, attributes: { enabled: true }, managed: false, ...reading },
      })
    },
    readSecret: async (object) => {
      reads += 1
      const id = formatVersionUrl(object)
      const found = versions.get(id)
      const details = { object: id }
      if (!found)
        throw new ServiceError("ERR_VAULT_VERSION_ABSENT", "The vault has no such version", { details })
      if (!found.reading.attributes.enabled) {
        throw new ServiceError("ERR_VAULT_VERSION_DISABLED", "The version is disabled", { details })
      }
      return found.reading
    },
    tagsOf: async (object) => {
      const id = formatVersionUrl(object)
      return (certificates.get(id) ?? versions.get(id))?.reading.tags ?? {}
    },
    setCertificate: (object, reading) => {
      const id = formatVersionUrl(object)
      const secretId = formatVersionUrl({ ...object, kind: "secret" })
      certificates.set(id, {
        object,
        reading: { id, secretId, tags: {}, attributes: { enabled: true }, ...reading },
      })
    },
    readCertificate: async (object) => {
      reads += 1
      const id = formatVersionUrl(object)
      const found = certificates.get(id)
      if (found) return found.reading
      throw new ServiceError("ERR_VAULT_VERSION_ABSENT", "The vault has no such version", {
        details: { object: id },
      })
    },
    async *listCertificateVersions(vault) {
      for (const { object, reading } of certificates.values()) {
        if (object.vault === vault) yield { object, attributes: reading.attributes, managed: false }
      }
    },
    async *listSecretVersions(vault) {
      for (const { object, reading } of versions.values()) {
        if (object.vault !== vault) continue
        const { attributes, managed } = reading
        yield { object, attributes, managed } satisfies ListedVersion
      }
    },
  }
}
