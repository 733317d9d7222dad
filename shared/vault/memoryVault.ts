import type { ObjectVersion } from "../change/objectVersion.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { ListedVersion, VaultCatalog } from "./vaultCatalog.ts"
import type { SecretReading, VaultReader } from "./vaultReader.ts"

/** A vault in memory that is read through the same ports as a real one. */
export interface MemoryVault extends VaultReader, VaultCatalog {
  /** Puts one version in; `reading.id` and defaults are filled in. */
  set(object: ObjectVersion, reading: Partial<SecretReading>): void
  /** How often `readSecret` was called. */
  readonly reads: number
}

/** An empty vault. Disabled versions and missing ones answer as the service does. */
export function createMemoryVault(): MemoryVault {
  const versions = new Map<string, { object: ObjectVersion; reading: SecretReading }>()
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
    async *listSecretVersions(vault) {
      for (const { object, reading } of versions.values()) {
        if (object.vault !== vault) continue
        const { attributes, managed } = reading
        yield { object, attributes, managed } satisfies ListedVersion
      }
    },
  }
}
