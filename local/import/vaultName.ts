/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates */
const maxNameLength = 127

/**
 * The name a vault can hold: `_` becomes `-`, nothing else is changed. A name that cannot be made legal has a
 * reason, worded to follow the quoted name.
 */
export function toVaultName(original: string): { readonly name: string } | { readonly reason: string } {
  const name = original.replaceAll("_", "-")
  if (name === "") return { reason: "is no name: a vault needs at least one character" }
  if (!/^[0-9a-zA-Z-]*$/.test(name)) {
    return {
      reason: "has characters that a vault does not take: only letters, digits, - and _ can be imported",
    }
  }
  if (name.length > maxNameLength) {
    return { reason: `has ${name.length} characters; a vault takes at most ${maxNameLength}` }
  }
  return { name }
}

/** Names with the same key are the same object: vaults compare names without case. */
export function vaultNameKey(name: string): string {
  return name.toLowerCase()
}
