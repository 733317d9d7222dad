import { parseVaultHost } from "./vaultHost.ts"

/** The kinds of objects that are backed up. */
export type ObjectKind = "secret" | "certificate"

/** Exactly one version of one object. Two that are the same object version have equal fields. */
export interface ObjectVersion {
  /** `https://host[:port]`, lower case, no trailing slash. */
  readonly vault: string
  /** `host[:port]`, lower case; never `:443`. */
  readonly host: string
  readonly kind: ObjectKind
  /** Folded to lower case: Key Vault compares names without case. */
  readonly name: string
  /** 32 lower-case hex digits. */
  readonly version: string
}

/**
 * What a version URL names. Keys, and whatever lies in a managed HSM, are told apart because they are skipped
 * with advice; a URL that names nothing has a problem, worded to follow "is no version URL: ".
 */
export type ParsedVersionUrl =
  | { readonly object: ObjectVersion }
  | { readonly unsupported: "key" | "managedHsm"; readonly host: string }
  | { readonly problem: string }

const kindOf: Readonly<Record<string, ObjectKind | "key">> = {
  secrets: "secret",
  certificates: "certificate",
  keys: "key",
}

/** Longer than any version URL: a host of 253, a name of 127. */
const maxUrlLength = 512
const namePattern = /^[0-9a-zA-Z-]{1,127}$/
const versionPattern = /^[0-9a-fA-F]{32}$/
const managedHsmPattern = /^[^.:]+\.managedhsm\./

/** The path segment of a kind: `secrets` or `certificates`. */
export function collectionOf(kind: ObjectKind): "secrets" | "certificates" {
  return kind === "secret" ? "secrets" : "certificates"
}

/** The version URL in its one canonical form. `parseVersionUrl` reads it back unchanged. */
export function formatVersionUrl({ vault, kind, name, version }: ObjectVersion): string {
  return `${vault}/${collectionOf(kind)}/${name}/${version}`
}

/**
 * Reads `https://host[:port]/collection/name/version` and nothing else. Pure: looks nothing up, and does not ask
 * whether the vault is allowed.
 *
 * The text is never handed to a URL parser, whose normalisation (`..`, `%2e`, backslashes, tabs, international
 * names, short addresses) would make one object out of another's name. Host, name and version fold to lower
 * case, and `:443` is the same as no port; the scheme and the collection must be lower case as sent.
 */
export function parseVersionUrl(text: string): ParsedVersionUrl {
  if (text.length > maxUrlLength) return { problem: `it is longer than ${maxUrlLength} characters` }
  if (!text.startsWith("https://")) return { problem: "it does not begin with https://" }
  if (/[?#]/.test(text)) return { problem: "it has a query or a fragment" }
  if (text.includes("%")) return { problem: "it has percent-encoded characters" }
  if (!/^[\x21-\x5b\x5d-\x7e]*$/.test(text))
    return { problem: "it has characters that no URL may hold as such" }
  const [, , authority = "", collection = "", name = "", version, ...rest] = text.split("/")
  if (version === undefined || rest.length > 0) return { problem: "its path is not /collection/name/version" }
  const parsedHost = parseVaultHost(authority)
  if ("problem" in parsedHost) return parsedHost
  const kind = Object.hasOwn(kindOf, collection) ? kindOf[collection] : undefined
  if (kind === undefined) return { problem: "its collection is not secrets, certificates or keys" }
  if (!namePattern.test(name)) return { problem: "its name is not 1 to 127 letters, digits and hyphens" }
  if (!versionPattern.test(version)) return { problem: "its version is not 32 hexadecimal digits" }
  const { host } = parsedHost
  if (managedHsmPattern.test(host)) return { unsupported: "managedHsm", host }
  if (kind === "key") return { unsupported: "key", host }
  return {
    object: {
      vault: `https://${host}`,
      host,
      kind,
      name: name.toLowerCase(),
      version: version.toLowerCase(),
    },
  }
}
