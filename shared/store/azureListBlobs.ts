import {
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type Pipeline,
  RestError,
} from "@azure/core-rest-pipeline"
import { blobServiceVersion, createBlobPipeline, refusalOf } from "./azureBlobRequests.ts"
import type { AzureStoreOptions } from "./azureContainerClient.ts"
import { createListingParser } from "./blobListing.ts"
import type { StoredBlob } from "./storeCatalog.ts"

const listed = 200

/**
 * List Blobs with metadata, 5,000 a page, each page read while it comes in. The client of the storage SDK makes a tree
 * of a page's ten million characters: 380 MB of memory, and ten times the CPU of all that an audit does with it
 * (`bench/audit`).
 *
 * The iteration rejects with a RestError when an answer is not 200 or no listing, as the storage client's does. It
 * retries nothing.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
export function createListBlobs({ url, container, credential, httpClient }: AzureStoreOptions) {
  const containerUrl = `${url.replace(/\/+$/, "")}/${container}`
  const pipeline = createBlobPipeline(credential)
  return async function* listBlobs(prefix: string, signal?: AbortSignal): AsyncGenerator<StoredBlob> {
    let marker: string | undefined = ""
    while (marker !== undefined) {
      const page: string = `${containerUrl}?restype=container&comp=list&include=metadata&prefix=${encodeURIComponent(prefix)}`
      const next: string = marker === "" ? page : `${page}&marker=${encodeURIComponent(marker)}`
      marker = yield* readPage(next, pipeline, httpClient, signal)
    }
  }
}

/** @returns where the next page begins. */
async function* readPage(
  url: string,
  pipeline: Pipeline,
  httpClient: HttpClient,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredBlob, string | undefined> {
  const request = createPipelineRequest({
    url,
    headers: createHttpHeaders({ "x-ms-version": blobServiceVersion }),
    streamResponseStatusCodes: new Set([listed]),
    ...(signal ? { abortSignal: signal } : {}),
  })
  const response = await pipeline.sendRequest(httpClient, request)
  const { status, readableStreamBody } = response
  if (status !== listed || !readableStreamBody) throw refusalOf("List Blobs", request, response)
  const parser = createListingParser()
  const decoder = new TextDecoder()
  try {
    for await (const bytes of readableStreamBody) {
      yield* parser.push(decoder.decode(bytes as Uint8Array, { stream: true }))
    }
    return parser.end()
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new RestError(error.message, { code: RestError.PARSE_ERROR, statusCode: status, request })
    }
    if (error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError")) throw error
    throw new RestError("The listing broke off", { code: RestError.REQUEST_SEND_ERROR, request })
  }
}
