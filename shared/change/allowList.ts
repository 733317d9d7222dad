import { ServiceError } from "../errors.ts"
import { quoteInput } from "./quoteInput.ts"
import { parseVaultHost } from "./vaultHost.ts"

/** The vaults this installation backs up. Nothing is read from, or even looked up at, any other host. */
export interface AllowList {
  /** `https://host[:port]`, each once, in the order given. */
  readonly vaults: readonly string[]
  /** Is `host` (`host[:port]`, as `parseVersionUrl` gives it) exactly one of them? */
  allows(host: string): boolean
}

/**
 * An allow-list of exactly these vault URLs; an empty one allows nothing. A trailing slash, upper case and
 * `:443` make no difference.
 *
 * @throws ServiceError ERR_CONFIG_INVALID, naming the first entry that is no vault URL.
 */
export function createAllowList(vaultUrls: readonly string[]): AllowList {
  const hosts = new Set(vaultUrls.map(hostOf))
  return { vaults: [...hosts].map((host) => `https://${host}`), allows: (host) => hosts.has(host) }
}

function hostOf(url: string): string {
  const [, authority] = /^https:\/\/([^/]*)\/?$/.exec(url) ?? []
  const parsed =
    authority === undefined ? { problem: "it is not https://host[:port]" } : parseVaultHost(authority)
  if ("host" in parsed) return parsed.host
  throw new ServiceError(
    "ERR_CONFIG_INVALID",
    `BACKUP_VAULTS: ${quoteInput(url)} is no vault URL: ${parsed.problem}. Give it as https://NAME.vault.azure.net.`,
  )
}

/**
 * Does `name` match one of `patterns`? In a pattern `*` stands for any text, `?` for one character, everything
 * else for itself; case makes no difference, and the whole name must match.
 *
 * Takes at most name length times pattern length steps, whatever the pattern.
 */
export function isExcluded(name: string, patterns: readonly string[]): boolean {
  const folded = name.toLowerCase()
  return patterns.some((pattern) => matchesGlob(folded, pattern.toLowerCase()))
}

function matchesGlob(text: string, pattern: string): boolean {
  let at = 0
  let position = 0
  let star = -1
  let resumeAt = 0
  while (at < text.length) {
    // The star is asked about first: it must not be taken for a literal one in the name.
    if (pattern[position] === "*") {
      star = position++
      resumeAt = at
    } else if (pattern[position] === "?" || pattern[position] === text[at]) {
      at++
      position++
    } else if (star >= 0) {
      // Only the last star ever needs to take more: that is what keeps this from growing exponentially.
      position = star + 1
      at = ++resumeAt
    } else return false
  }
  while (pattern[position] === "*") position++
  return position === pattern.length
}
