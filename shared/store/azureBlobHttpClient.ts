import { toCompatResponse } from "@azure/core-http-compat"
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
      return toCompatResponse(await client.sendRequest(request), { createProxy: true })
    },
  }
}
