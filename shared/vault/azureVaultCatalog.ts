import { fromVaultError } from "../azureErrors.ts"
import { parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { type AzureVaultOptions, createSecretClients, fromSecretProperties } from "./azureSecretClients.ts"
import type { VaultCatalog } from "./vaultCatalog.ts"

/** Lists through the Key Vault REST API, 25 a page. See VaultCatalog for the promise. */
export function createAzureVaultCatalog(options: AzureVaultOptions): VaultCatalog {
  const clientOf = createSecretClients(options)
  return {
    async *listSecretVersions(vault, { signal } = {}) {
      const client = clientOf(vault)
      const requestOptions = signal ? { abortSignal: signal } : {}
      try {
        for await (const { name } of client.listPropertiesOfSecrets(requestOptions)) {
          for await (const properties of client.listPropertiesOfSecretVersions(name, requestOptions)) {
            const parsed = parseVersionUrl(properties.id ?? "")
            if (!("object" in parsed)) {
              throw new ServiceError(
                "ERR_VAULT_RESPONSE_INVALID",
                "The vault listed an id that is no version",
                {
                  details: { vault, name },
                },
              )
            }
            yield {
              object: parsed.object,
              attributes: fromSecretProperties(properties),
              managed: properties.managed === true,
            }
          }
        }
      } catch (error) {
        throw fromVaultError(error, { vault })
      }
    },
  }
}
