/** A Key Vault key. Without a version every version of it is trusted, and the newest signs. */
export interface VaultKeySource {
  readonly kind: "keyVault"
  /** `https://HOST[:PORT]`. */
  readonly vault: string
  readonly name: string
  readonly version?: string
}

/** Where a key that signs or proves digests comes from. */
export type DigestKeySource = VaultKeySource | { readonly kind: "file"; readonly path: string }

/**
 * Reads a comma list of Key Vault key URLs and paths of files: the first signs, all are trusted.
 *
 * @returns `undefined` when a part looks like a URL and is not that of a key.
 */
export function parseDigestKeySources(text: string): readonly DigestKeySource[] | undefined {
  const sources = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => (/^\w+:\/\//.test(part) ? parseKeyUrl(part) : { kind: "file" as const, path: part }))
  const known = sources.filter((source) => source !== undefined)
  return known.length === sources.length && known.length > 0 ? known : undefined
}

/** Reads `https://HOST/keys/NAME[/VERSION]`; `undefined` for anything else. */
export function parseKeyUrl(text: string): VaultKeySource | undefined {
  const url = URL.parse(text)
  const match = /^\/keys\/([0-9a-zA-Z-]{1,127})(?:\/([0-9a-fA-F]{32}))?\/?$/.exec(url?.pathname ?? "")
  const [, name, version] = match ?? []
  if (!url || name === undefined || url.protocol !== "https:") return undefined
  if (url.username || url.password || url.search || url.hash) return undefined
  return {
    kind: "keyVault",
    vault: url.origin,
    name: name.toLowerCase(),
    ...(version === undefined ? {} : { version: version.toLowerCase() }),
  }
}

/** Does the URL of a key version name a version of this key? */
export function isVersionOf(kid: string, { vault, name, version }: VaultKeySource): boolean {
  const asked = parseKeyUrl(kid)
  return (
    asked?.vault === vault &&
    asked.name === name &&
    asked.version !== undefined &&
    (version === undefined || version === asked.version)
  )
}
