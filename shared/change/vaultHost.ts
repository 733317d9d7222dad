/** A host as this product compares it: lower case, `host` or `host:port`, without the default port. */
export type ParsedHost = { readonly host: string } | { readonly problem: string }

const maxHostLength = 253
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)

/** A URL parser reads a name whose last label looks like this as an address, in decimal, octal or hex. */
const numericLabel = /^(?:\d+|0x[0-9a-f]*)$/

/**
 * Reads the authority of a vault URL: a DNS name or a dotted IPv4 address, with or without a port.
 *
 * Takes only what no URL parser would rewrite, apart from two foldings: upper case becomes lower case, and
 * `:443` is dropped, because Azure PowerShell prints ids with `:443` and both forms name one vault. Refuses user
 * information, bracketed addresses, shortened or hexadecimal addresses, trailing dots, and international names
 * in any spelling.
 */
export function parseVaultHost(authority: string): ParsedHost {
  if (authority.includes("@")) return { problem: "it carries user information" }
  const [, name = "", port] = /^([^:]*)(?::(.*))?$/s.exec(authority.toLowerCase()) ?? []
  const problem = problemOfName(name) ?? problemOfPort(port)
  if (problem !== undefined) return { problem }
  return { host: port === undefined || port === "443" ? name : `${name}:${port}` }
}

/** Is `host` (as `parseVaultHost` gives it) an address or localhost, whose first label names no vault? */
export function isAddress(host: string): boolean {
  const [name = ""] = host.split(":")
  return name === "localhost" || ipv4.test(name)
}

function problemOfName(name: string): string | undefined {
  const labels = name.split(".")
  if (name.length > maxHostLength || !labels.every((part) => label.test(part))) {
    return "its host is no plain DNS name or IPv4 address"
  }
  if (labels.some((part) => part.startsWith("xn--"))) return "its host is an encoded international name"
  if (numericLabel.test(labels.at(-1) ?? "") && !ipv4.test(name)) {
    return "its host is an address in an unusual form"
  }
  return undefined
}

function problemOfPort(port: string | undefined): string | undefined {
  if (port === undefined) return undefined
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
    ? undefined
    : "its port is no number from 1 to 65535"
}
