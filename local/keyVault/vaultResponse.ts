import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { FaultRule } from "../faults/faultBook.ts"
import { badParameter, errorBody, VaultError } from "./vaultError.ts"
import type { VaultAnswer } from "./vaultRequest.ts"

const maxBodyBytes = 1024 * 1024

/** Sends `answer` as the service does: JSON with its length, and a request id. */
export function sendAnswer(response: ServerResponse, answer: VaultAnswer): void {
  const headers = {
    "cache-control": "no-cache",
    "x-ms-keyvault-region": "westeurope",
    "x-ms-request-id": randomUUID(),
    ...answer.headers,
  }
  if (answer.body === undefined) {
    response.writeHead(answer.status, headers).end()
    return
  }
  const body = Buffer.from(JSON.stringify(answer.body))
  response.writeHead(answer.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": body.length,
    ...headers,
  })
  response.end(body)
}

/** The answer that tells about `error`. */
export function errorAnswer(error: VaultError): VaultAnswer {
  return { status: error.status, body: errorBody(error), headers: error.headers }
}

/** The error that a fault of effect `status` asks for. */
export function faultError(fault: FaultRule, headers: Readonly<Record<string, string>>): VaultError {
  const status = fault.status ?? 500
  const retryAfter = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }
  return new VaultError(
    status,
    fault.code ?? defaultCodes[status] ?? "InternalServerError",
    "A fault is in force.",
    {
      innerCode: fault.innerCode,
      headers: { ...headers, ...retryAfter },
    },
  )
}

const defaultCodes: Readonly<Record<number, string>> = {
  400: "BadParameter",
  401: "Unauthorized",
  403: "Forbidden",
  409: "Conflict",
  429: "Throttled",
  503: "ServiceUnavailable",
}

/** @throws VaultError 400 when the body is larger than anything a vault takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  // Told before reading, since to stop reading in the middle breaks the connection without an answer.
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function tooLarge(): VaultError {
  return badParameter(`The request body is larger than ${maxBodyBytes} bytes`)
}
