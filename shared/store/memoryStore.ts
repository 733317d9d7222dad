import { ServiceError } from "../errors.ts"
import type { BackupStore, StoreProtection } from "./backupStore.ts"
import type { BlobMetadata } from "./ledgerEntry.ts"
import type { StoreCatalog } from "./storeCatalog.ts"
import type { StoreReader } from "./storeReader.ts"

/** A store in memory, seen through all three of its ports. */
export type MemoryStore = BackupStore & StoreCatalog & StoreReader

export interface MemoryStoreOptions {
  readonly protection?: StoreProtection
  /** The service's clock. Default: this machine's. */
  readonly now?: () => Date
}

/** An empty store that never overwrites, as a container with a retention policy does. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const blobs = new Map<string, { body: Uint8Array; metadata: BlobMetadata; createdAt: Date }>()
  const now = options.now ?? (() => new Date())
  return {
    putIfAbsent: async (name, body, _contentType, metadata) => {
      if (blobs.has(name)) return "alreadyStored"
      const createdAt = new Date(Math.floor(now().getTime() / 1000) * 1000)
      blobs.set(name, { body: Uint8Array.from(body), metadata, createdAt })
      return "stored"
    },
    describeProtection: async () =>
      options.protection ?? {
        hasImmutabilityPolicy: true,
        hasLegalHold: false,
        hasVersionLevelImmutability: false,
      },
    async *list(prefix) {
      for (const name of [...blobs.keys()].sort()) {
        const blob = blobs.get(name)
        if (!blob || !name.startsWith(prefix)) continue
        yield { name, createdAt: blob.createdAt, sizeBytes: blob.body.length, metadata: blob.metadata }
      }
    },
    read: async (name) => {
      const blob = blobs.get(name)
      if (!blob)
        throw new ServiceError("ERR_STORE_NOT_FOUND", "There is no such blob", { details: { blob: name } })
      return Uint8Array.from(blob.body)
    },
  }
}
