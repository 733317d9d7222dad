import { isIP } from "node:net"

/** What a name led to. No addresses: nobody knows the name, or nobody answered (`problem`). */
export interface NameAnswer {
  readonly addresses: readonly string[]
  /** Other names on the way, such as `payments.privatelink.vaultcore.azure.net`. */
  readonly aliases: readonly string[]
  /** Code of the resolver's error, such as ENOTFOUND. */
  readonly problem?: string
}

/** Port: asks what a client on this machine would be told. Gives an answer without addresses in place of an error. */
export interface NameResolver {
  resolve(host: string, options?: { readonly signal?: AbortSignal }): Promise<NameAnswer>
}

/** `none`: no address that leads to the service. */
export type NameKind = "private" | "public" | "mixed" | "none"

/**
 * What kind of address a name leads to.
 *
 * Loopback counts as private where the host itself is a loopback address or `localhost`: the local cloud. For any other
 * name it leads nowhere, as 0.0.0.0 does: a resolver that blocks names answers so.
 */
export function classifyNames(host: string, { addresses }: NameAnswer): NameKind {
  const isLocal = host === "localhost" || isLoopback(host)
  const kinds = new Set(
    addresses.filter((address) => isLocal || !leadsNowhere(address)).map((address) => kindOf(address)),
  )
  if (kinds.size === 0) return "none"
  if (kinds.size === 2) return "mixed"
  return kinds.has("private") ? "private" : "public"
}

function kindOf(address: string): "private" | "public" {
  if (isLoopback(address)) return "private"
  if (isIP(address) === 6) return /^f[cd]|^fe[89ab]/i.test(address) ? "private" : "public"
  const [first = 0, second = 0] = address.split(".").map(Number)
  if (first === 10 || (first === 172 && second >= 16 && second <= 31)) return "private"
  if (first === 192 && second === 168) return "private"
  // Shared address space (RFC 6598), which virtual networks may use as their own.
  return first === 100 && second >= 64 && second <= 127 ? "private" : "public"
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address)
}

function leadsNowhere(address: string): boolean {
  return isLoopback(address) || address === "0.0.0.0" || address === "::"
}
