/** Azure clouds that vaults can be in. */
export type Cloud = "public" | "china" | "usGovernment" | "germany"

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates, DNS suffixes. */
const suffixes: readonly (readonly [suffix: string, cloud: Cloud])[] = [
  [".vault.azure.net", "public"],
  [".vault.azure.cn", "china"],
  [".vault.usgovcloudapi.net", "usGovernment"],
  [".vault.microsoftazure.de", "germany"],
]

/** The cloud of a vault by its host (`host[:port]`); `undefined` for a host of none, such as 127.0.0.1. */
export function cloudOf(host: string): Cloud | undefined {
  const [name = ""] = host.split(":")
  return suffixes.find(([suffix]) => name.endsWith(suffix))?.[1]
}

/** Would contents of the vault at `from` leave their cloud, or be taken out of a sovereign one, by going to `to`? */
export function leavesCloud(from: string, to: string): boolean {
  const [source, target] = [cloudOf(from), cloudOf(to)]
  if (source === undefined || source === target) return false
  return target !== undefined || source !== "public"
}
