import { fromStoreError } from "../azureErrors.ts"
import type { AzureStoreOptions } from "./azureContainerClient.ts"
import { createListBlobs } from "./azureListBlobs.ts"
import type { StoreCatalog } from "./storeCatalog.ts"

/** Lists with metadata, up to 5,000 blobs a call. See StoreCatalog for the promise. */
export function createAzureStoreCatalog(options: AzureStoreOptions): StoreCatalog {
  const listBlobs = createListBlobs(options)
  return {
    async *list(prefix, { signal } = {}) {
      try {
        yield* listBlobs(prefix, signal)
      } catch (error) {
        throw fromStoreError(error, { prefix })
      }
    },
  }
}
