import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import {
  BlobServiceClient,
  type ContainerClient,
  newPipeline,
  StorageRetryPolicyType,
} from "@azure/storage-blob"
import { toBlobHttpClient } from "./azureBlobHttpClient.ts"

export interface AzureStoreOptions {
  /** `https://ACCOUNT.blob.core.windows.net`, or the account URL of the local cloud. */
  readonly url: string
  readonly container: string
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
}

/** A client of the backup container that tries each request once; the caller's retry schedule does the rest. */
export function createContainerClient(options: AzureStoreOptions): ContainerClient {
  const pipeline = newPipeline(options.credential, {
    httpClient: toBlobHttpClient(options.httpClient),
    retryOptions: { maxTries: 1, retryPolicyType: StorageRetryPolicyType.FIXED },
  })
  return new BlobServiceClient(options.url, pipeline).getContainerClient(options.container)
}
