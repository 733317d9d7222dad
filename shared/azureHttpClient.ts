import { setTimeout as delay } from "node:timers/promises"
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline"
import { Agent, type Dispatcher, interceptors } from "undici"

const connectTimeoutMs = 10_000
const answerTimeoutMs = 60_000
const resendDelayMs = 50
const safeMethods: Dispatcher.HttpMethod[] = ["GET", "HEAD"]
const brokenConnectionCodes = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]

/**
 * An HTTP client for the Azure SDK's pipelines that sends through undici's keep-alive connections, at about six
 * tenths of the CPU of the SDK's own client; `bench/pipeline` shows both.
 *
 * A request whose connection breaks before the answer is sent once more: what this product sends is safe to repeat, but
 * for a PUT that makes a version in a vault. A streamed answer that breaks off is taken up again where it broke, once.
 *
 * @param options.resendsPuts - false where a PUT is not safe to repeat. Default true.
 */
export function createAzureHttpClient({
  resendsPuts = true,
}: { readonly resendsPuts?: boolean } = {}): HttpClient & {
  readonly close: () => Promise<void>
} {
  const resendableMethods = resendsPuts ? [...safeMethods, "PUT" as const] : safeMethods
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    connections: 128,
    keepAliveTimeout: 30_000,
  })
  // For streams alone, because it costs as much as the rest of this file.
  const resuming = agent.compose(
    interceptors.retry({
      maxRetries: 1,
      minTimeout: resendDelayMs,
      maxTimeout: resendDelayMs,
      methods: resendableMethods,
      statusCodes: [],
      errorCodes: brokenConnectionCodes,
      throwOnError: false,
    }),
  )
  return {
    sendRequest: async (request) => {
      try {
        const isStreamed = (request.streamResponseStatusCodes?.size ?? 0) > 0
        const answer = isStreamed
          ? await ask(request, resuming)
          : await askAgain(request, agent, resendableMethods)
        return await toResponse(answer, request)
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") throw error
        const code = codeOf(error) ?? RestError.REQUEST_SEND_ERROR
        throw new RestError("The request could not be sent or its answer not be read", { code, request })
      }
    },
    close: () => agent.close(),
  }
}

function ask(request: PipelineRequest, dispatcher: Dispatcher): Promise<Dispatcher.ResponseData> {
  const origin = originOf(request.url)
  const body = typeof request.body === "function" ? request.body() : request.body
  const timeoutMs = request.timeout > 0 ? request.timeout : answerTimeoutMs
  // The pipeline asks for what its own client unpacks; this one does not, and the answers are small.
  if (request.headers.has("accept-encoding")) request.headers.set("accept-encoding", "identity")
  return dispatcher.request({
    origin,
    path: request.url.slice(origin.length) || "/",
    method: request.method,
    headers: request.headers.toJSON({ preserveCase: true }),
    body: (body as Dispatcher.DispatchOptions["body"]) ?? null,
    ...(request.abortSignal ? { signal: request.abortSignal } : {}),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
}

async function askAgain(
  request: PipelineRequest,
  agent: Agent,
  resendableMethods: readonly string[],
): Promise<Dispatcher.ResponseData> {
  try {
    return await ask(request, agent)
  } catch (error) {
    const isBroken = brokenConnectionCodes.includes(codeOf(error) ?? "")
    if (!isBroken || !resendableMethods.includes(request.method) || !isResendable(request)) throw error
    await delay(resendDelayMs)
    return ask(request, agent)
  }
}

/** A body that is a stream has been read by the first attempt. */
function isResendable({ body }: PipelineRequest): boolean {
  return body === undefined || body === null || typeof body !== "object" || body instanceof Uint8Array
}

async function toResponse(
  { statusCode: status, headers: given, body }: Dispatcher.ResponseData,
  request: PipelineRequest,
): Promise<PipelineResponse> {
  const headers = createHttpHeaders()
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value)
  }
  const streams = request.streamResponseStatusCodes
  return streams?.has(status) || streams?.has(Number.POSITIVE_INFINITY)
    ? { request, headers, status, readableStreamBody: body }
    : { request, headers, status, bodyAsText: await body.text() }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined
}

function originOf(url: string): string {
  const end = url.indexOf("/", url.indexOf("//") + 2)
  return end === -1 ? url : url.slice(0, end)
}
