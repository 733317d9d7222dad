import type { IncomingMessage } from "node:http"

/** What a request names, read in the same way as Azurite reads it. */
export interface BlobRequest {
  readonly method: string
  readonly account: string
  /** Absent for the account itself. */
  readonly container?: string
  /** Absent for the container itself. */
  readonly blob?: string
  readonly query: ReadonlyMap<string, string>
  readonly header: (name: string) => string | undefined
}

/**
 * Reads the URL of a request: `/ACCOUNT/CONTAINER/BLOB?query`.
 *
 * @returns undefined when it is no such URL: not a path, badly encoded, or with a query name given twice or
 * with brackets, which two readers could understand differently.
 */
export function parseBlobRequest(request: IncomingMessage): BlobRequest | undefined {
  const url = request.url ?? ""
  if (!url.startsWith("/")) return undefined
  const [rawPath = "", rawQuery = ""] = splitOnce(url, "?")
  const query = parseQuery(rawQuery)
  const path = decode(rawPath)
  if (query === undefined || path === undefined) return undefined
  const [account = "", container = "", ...rest] = path.slice(1).split("/")
  const blob = rest.join("/").replaceAll("\\", "/")
  return {
    method: request.method ?? "",
    account,
    ...(container === "" ? {} : { container }),
    ...(blob === "" ? {} : { blob }),
    query,
    header: (name) => {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(",") : value
    },
  }
}

function parseQuery(text: string): Map<string, string> | undefined {
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (query.has(name) || name.includes("[")) return undefined
    query.set(name, value)
  }
  return query
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
