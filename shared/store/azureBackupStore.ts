import { createHash } from "node:crypto"
import { fromStoreError, isAlreadyThere } from "../azureErrors.ts"
import { type AzureStoreOptions, createContainerClient } from "./azureContainerClient.ts"
import { createPutBlob } from "./azurePutBlob.ts"
import type { BackupStore } from "./backupStore.ts"

/**
 * Writes with one single-shot Put Blob, which needs the data action `blobs/add/action` and nothing more.
 * See BackupStore for the promise.
 */
export function createAzureBackupStore(options: AzureStoreOptions): BackupStore {
  const container = createContainerClient(options)
  const putBlob = createPutBlob(options)
  return {
    putIfAbsent: async (name, body, contentType, metadata, { signal } = {}) => {
      try {
        const contentMd5 = createHash("md5").update(body).digest("base64")
        await putBlob({ name, body, contentType, contentMd5, metadata }, signal)
        return "stored"
      } catch (error) {
        if (isAlreadyThere(error)) return "alreadyStored"
        throw fromStoreError(error, { blob: name })
      }
    },
    describeProtection: async ({ signal } = {}) => {
      try {
        const properties = await container.getProperties(signal ? { abortSignal: signal } : {})
        return {
          hasImmutabilityPolicy: properties.hasImmutabilityPolicy === true,
          hasLegalHold: properties.hasLegalHold === true,
          hasVersionLevelImmutability: properties.isImmutableStorageWithVersioningEnabled === true,
        }
      } catch (error) {
        throw fromStoreError(error, { container: options.container })
      }
    },
  }
}
