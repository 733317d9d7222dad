import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline"
import { Agent, type Dispatcher, interceptors } from "undici"

const connectTimeoutMs = 10_000

/**
 * An HTTP client for the Azure SDK's pipelines that sends through undici's keep-alive connections. The SDK's own
 * client spends more CPU on a request than the rest of a backup does; `bench/pipeline` shows both.
 *
 * A request whose connection breaks is sent once more: everything this product sends is safe to repeat.
 */
export function createAzureHttpClient(): HttpClient & { readonly close: () => Promise<void> } {
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    connections: 128,
    keepAliveTimeout: 30_000,
  })
  const dispatcher = agent.compose(
    interceptors.retry({
      maxRetries: 1,
      minTimeout: 50,
      maxTimeout: 50,
      methods: ["GET", "HEAD", "PUT"],
      statusCodes: [],
      errorCodes: ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"],
      throwOnError: false,
    }),
  )
  return {
    sendRequest: (request) => send(request, dispatcher),
    close: () => agent.close(),
  }
}

async function send(request: PipelineRequest, dispatcher: Dispatcher): Promise<PipelineResponse> {
  const body = typeof request.body === "function" ? request.body() : request.body
  try {
    const answer = await dispatcher.request({
      origin: originOf(request.url),
      path: request.url.slice(originOf(request.url).length) || "/",
      method: request.method,
      headers: request.headers.toJSON({ preserveCase: true }),
      body: (body as Dispatcher.DispatchOptions["body"]) ?? null,
      ...(request.abortSignal ? { signal: request.abortSignal } : {}),
      headersTimeout: request.timeout > 0 ? request.timeout : 60_000,
      bodyTimeout: request.timeout > 0 ? request.timeout : 60_000,
    })
    const headers = createHttpHeaders()
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value)
    }
    const base = { request, headers, status: answer.statusCode }
    const streams = request.streamResponseStatusCodes
    if (streams?.has(answer.statusCode) || streams?.has(Number.POSITIVE_INFINITY)) {
      return { ...base, readableStreamBody: answer.body }
    }
    return { ...base, bodyAsText: await answer.body.text() }
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error
    const code = error instanceof Error && "code" in error ? String(error.code) : RestError.REQUEST_SEND_ERROR
    throw new RestError("The request could not be sent or its answer not be read", { code, request })
  }
}

function originOf(url: string): string {
  const end = url.indexOf("/", url.indexOf("//") + 2)
  return end === -1 ? url : url.slice(0, end)
}
