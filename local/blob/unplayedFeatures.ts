import type { BlobRequest } from "./blobRequest.ts"
import type { StorageErrorCode } from "./storageErrors.ts"

const versionLevelHeaders = [
  "x-ms-immutability-policy-until-date",
  "x-ms-immutability-policy-mode",
  "x-ms-legal-hold",
] as const

/**
 * Does the request ask for something that the local store would get wrong, and which code says so.
 *
 * Refused are the headers of version-level immutability (Azurite drops them, so a caller would believe in a
 * protection that is not there), copying from outside of the account, and blocks or pages read from a URL.
 */
export function unplayedFeature(request: BlobRequest): StorageErrorCode | undefined {
  if (versionLevelHeaders.some((name) => request.header(name) !== undefined)) return "UnsupportedHeader"
  const source = copySource(request)
  if (source === "none") return undefined
  if (request.query.has("comp")) return "NotImplemented"
  return source === "foreign" ? "CannotVerifyCopySource" : undefined
}

/** Where a request copies from: a blob of this account by its scope, or from `foreign` places. */
export function copySource(request: BlobRequest): "none" | "foreign" | { readonly scope: string } {
  const header = request.header("x-ms-copy-source")
  if (header === undefined) return "none"
  if (!URL.canParse(header)) return "foreign"
  const { pathname, searchParams } = new URL(header)
  const [account, ...path] = safeDecode(pathname).slice(1).split("/")
  const isOwn = account === request.account && path.length > 1 && !searchParams.has("sig")
  return isOwn ? { scope: path.join("/") } : "foreign"
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ""
  }
}
