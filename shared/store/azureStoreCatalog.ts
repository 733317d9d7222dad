import { fromStoreError } from "../azureErrors.ts"
import { type AzureStoreOptions, createContainerClient } from "./azureContainerClient.ts"
import type { StoreCatalog } from "./storeCatalog.ts"

/** Lists with metadata, up to 5,000 blobs a call. See StoreCatalog for the promise. */
export function createAzureStoreCatalog(options: AzureStoreOptions): StoreCatalog {
  const container = createContainerClient(options)
  return {
    async *list(prefix, { signal } = {}) {
      try {
        const blobs = container.listBlobsFlat({
          prefix,
          includeMetadata: true,
          ...(signal ? { abortSignal: signal } : {}),
        })
        for await (const { name, metadata, properties } of blobs) {
          yield {
            name,
            createdAt: properties.createdOn ?? properties.lastModified,
            sizeBytes: properties.contentLength ?? 0,
            metadata: { ...metadata },
          }
        }
      } catch (error) {
        throw fromStoreError(error, { prefix })
      }
    },
  }
}
