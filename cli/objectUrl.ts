import { type ObjectKind, parseVersionUrl } from "../shared/change/objectVersion.ts"
import { parseVaultHost } from "../shared/change/vaultHost.ts"
import { ServiceError } from "../shared/errors.ts"

/** An object of a vault, or one version of it, as `--object` names it. */
export interface NamedObject {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly host: string
  readonly kind: ObjectKind
  /** As the vault folds it. */
  readonly name: string
  readonly version?: string
}

/**
 * Reads `https://VAULT/secrets/NAME[/VERSION]`, and the same of certificates.
 *
 * @throws ServiceError ERR_CONFIG_INVALID.
 */
export function parseObjectUrl(text: string): NamedObject {
  const parsed = parseVersionUrl(text)
  if ("object" in parsed) return parsed.object
  const match = /^https:\/\/([^/]+)\/(secret|certificate)s\/([0-9a-zA-Z-]{1,127})\/?$/.exec(text)
  const [, authority = "", kind, name] = match ?? []
  const host = parseVaultHost(authority)
  if (name === undefined || "problem" in host) {
    throw new ServiceError("ERR_CONFIG_INVALID", "--object is no object of a vault", {
      hint: "Write https://VAULT/secrets/NAME or https://VAULT/certificates/NAME, with or without /VERSION.",
    })
  }
  return {
    vault: `https://${host.host}`,
    host: host.host,
    kind: kind === "secret" ? "secret" : "certificate",
    name: name.toLowerCase(),
  }
}

/**
 * Reads `https://NAME.vault.azure.net`.
 *
 * @param option - its name, for the message.
 * @returns `host[:port]`.
 * @throws ServiceError ERR_CONFIG_INVALID.
 */
export function parseVaultUrl(text: string, option: string): string {
  const [, authority] = /^https:\/\/([^/]+)\/?$/.exec(text) ?? []
  const parsed = authority === undefined ? { problem: "it is not https://HOST" } : parseVaultHost(authority)
  if ("host" in parsed) return parsed.host
  throw new ServiceError("ERR_CONFIG_INVALID", `${option} is no vault: ${parsed.problem}`, {
    hint: "Write https://NAME.vault.azure.net.",
  })
}
