import { toHttpHeadersLike } from "@azure/core-http-compat"
import { createHttpHeaders, createPipelineRequest, type HttpClient } from "@azure/core-rest-pipeline"
import type { IHttpClient } from "@azure/storage-blob"

/** The storage client takes an HTTP client of an older shape than the other clients do; this is `client` in it. */
export function toBlobHttpClient(client: HttpClient): IHttpClient {
  return {
    sendRequest: async (resource) => {
      const { url, method, body, timeout, requestId, abortSignal, streamResponseStatusCodes } = resource
      const request = createPipelineRequest({
        url,
        method,
        body,
        timeout,
        requestId,
        headers: createHttpHeaders(resource.headers.toJson({ preserveCase: true })),
        ...(abortSignal ? { abortSignal } : {}),
        ...(streamResponseStatusCodes ? { streamResponseStatusCodes } : {}),
      })
      const response = await client.sendRequest(request)
      // The answer must carry the very resource that was handed in: by it the SDK finds the operation, and without the
      // operation it neither parses the body nor turns an error status into an error.
      return { ...response, request: resource, headers: toHttpHeadersLike(response.headers) }
    },
  }
}
