import type { IncomingMessage, ServerResponse } from "node:http"
import type { RpcHttp, RpcHttpCookie, RpcNullableString, RpcTypedData } from "./rpcTypes.ts"

/**
 * The request as the host sends it to a worker with nullable dictionaries: lower-case header names, one value a
 * name (several are joined by a comma), and the body as bytes.
 */
export function toRpcRequest(
  request: IncomingMessage,
  url: URL,
  parameters: Readonly<Record<string, string>>,
  body: Buffer,
): RpcHttp {
  const query: Record<string, string> = {}
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name).join(",")
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(",") : value
  }
  return {
    url: url.href,
    method: request.method ?? "GET",
    nullableHeaders: nullable(headers),
    nullableQuery: nullable(query),
    nullableParams: nullable(parameters),
    ...(body.length > 0 && { body: { bytes: body } }),
  }
}

function nullable(values: Readonly<Record<string, string>>): Record<string, RpcNullableString> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]))
}

/** Writes what the function returned; nothing becomes 204. */
export function writeRpcResponse(answer: RpcHttp | undefined, response: ServerResponse): void {
  if (!answer) {
    response.writeHead(204).end()
    return
  }
  const body = toBytes(answer.body)
  // The body's length is the host's to say, and a body that was fetched whole is not chunked.
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (name !== "content-length" && name !== "transfer-encoding") response.setHeader(name, value)
  }
  const cookies = (answer.cookies ?? []).map(formatCookie)
  if (cookies.length > 0) response.setHeader("set-cookie", cookies)
  const status = Number(answer.statusCode ?? 200)
  if (status !== 204 && status !== 304) response.setHeader("content-length", body.length)
  response.writeHead(status).end(body)
}

function toBytes(data: RpcTypedData | null | undefined): Uint8Array {
  return data?.bytes ?? Buffer.from(data?.string ?? data?.json ?? "")
}

function formatCookie(cookie: RpcHttpCookie): string {
  const sameSite = { lax: "Lax", strict: "Strict", explicitNone: "None", none: undefined }[
    cookie.sameSite ?? "none"
  ]
  const parts = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.domain && `Domain=${cookie.domain.value}`,
    cookie.path && `Path=${cookie.path.value}`,
    cookie.expires && `Expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge && `Max-Age=${cookie.maxAge.value}`,
    cookie.secure?.value && "Secure",
    cookie.httpOnly?.value && "HttpOnly",
    sameSite && `SameSite=${sameSite}`,
  ]
  return parts.filter((part) => typeof part === "string").join("; ")
}
