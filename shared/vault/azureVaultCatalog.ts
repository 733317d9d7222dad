import type { ObjectKind } from "../change/objectVersion.ts"
import type { AzureVaultOptions } from "./azureVaultClients.ts"
import { createAzureVaultPager } from "./azureVaultPager.ts"
import type { ListedVersion, VaultCatalog } from "./vaultCatalog.ts"
import type { ListOptions } from "./vaultPager.ts"

/** Lists through the Key Vault REST API, 25 a page. See VaultCatalog for the promise. */
export function createAzureVaultCatalog(options: AzureVaultOptions): VaultCatalog {
  const pager = createAzureVaultPager(options)
  async function* list(
    vault: string,
    kind: ObjectKind,
    options?: ListOptions,
  ): AsyncGenerator<ListedVersion> {
    for await (const names of pager.names(vault, kind, options)) {
      for (const name of names) {
        for await (const versions of pager.versions(vault, kind, name, options)) yield* versions
      }
    }
  }
  return {
    listSecretVersions: (vault, options) => list(vault, "secret", options),
    listCertificateVersions: (vault, options) => list(vault, "certificate", options),
  }
}
