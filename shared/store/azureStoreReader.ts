import { buffer } from "node:stream/consumers"
import { fromStoreError } from "../azureErrors.ts"
import { ServiceError } from "../errors.ts"
import { type AzureStoreOptions, createContainerClient } from "./azureContainerClient.ts"
import type { StoreReader } from "./storeReader.ts"

/** Downloads a whole blob with one GET; records are small. See StoreReader for the promise. */
export function createAzureStoreReader(options: AzureStoreOptions): StoreReader {
  const container = createContainerClient(options)
  return {
    read: async (name, { signal } = {}) => {
      const details = { blob: name }
      try {
        const { readableStreamBody } = await container.getBlobClient(name).download(0, undefined, {
          maxRetryRequests: 0,
          ...(signal ? { abortSignal: signal } : {}),
        })
        if (!readableStreamBody) throw new TypeError("A download outside a browser has a stream")
        return await buffer(readableStreamBody).catch((cause: unknown) => {
          throw new ServiceError("ERR_STORE_UNAVAILABLE", "The download broke off", { details, cause })
        })
      } catch (error) {
        throw fromStoreError(error, details)
      }
    },
  }
}
