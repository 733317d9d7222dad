import { fromStoreError } from "../azureErrors.ts"
import { type AzureStoreOptions, createContainerClient } from "./azureContainerClient.ts"
import type { StoreReader } from "./storeReader.ts"

/** Downloads whole blobs; records are small. See StoreReader for the promise. */
export function createAzureStoreReader(options: AzureStoreOptions): StoreReader {
  const container = createContainerClient(options)
  return {
    read: async (name, { signal } = {}) => {
      try {
        const blob = container.getBlobClient(name)
        return await blob.downloadToBuffer(0, undefined, signal ? { abortSignal: signal } : {})
      } catch (error) {
        throw fromStoreError(error, { blob: name })
      }
    },
  }
}
