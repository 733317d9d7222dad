import { fromVaultError } from "../azureErrors.ts"
import { parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { type AzureVaultOptions, createVaultClients, fromVersionProperties } from "./azureVaultClients.ts"
import type { ListedVersion, VaultCatalog } from "./vaultCatalog.ts"

/** Lists through the Key Vault REST API, 25 a page. See VaultCatalog for the promise. */
export function createAzureVaultCatalog(options: AzureVaultOptions): VaultCatalog {
  const clientsOf = createVaultClients(options)
  return {
    async *listSecretVersions(vault, { signal } = {}) {
      const { secrets } = clientsOf(vault)
      const requestOptions = signal ? { abortSignal: signal } : {}
      try {
        for await (const { name } of secrets.listPropertiesOfSecrets(requestOptions)) {
          for await (const version of secrets.listPropertiesOfSecretVersions(name, requestOptions)) {
            yield listed(vault, version, version.managed === true)
          }
        }
      } catch (error) {
        throw fromVaultError(error, { vault })
      }
    },
    async *listCertificateVersions(vault, { signal } = {}) {
      const { certificates } = clientsOf(vault)
      const requestOptions = signal ? { abortSignal: signal } : {}
      try {
        for await (const { name } of certificates.listPropertiesOfCertificates(requestOptions)) {
          if (name === undefined) continue
          for await (const version of certificates.listPropertiesOfCertificateVersions(
            name,
            requestOptions,
          )) {
            yield listed(vault, version, false)
          }
        }
      } catch (error) {
        throw fromVaultError(error, { vault })
      }
    },
  }
}

type VersionProperties = Parameters<typeof fromVersionProperties>[0]

function listed(vault: string, properties: VersionProperties, managed: boolean): ListedVersion {
  const parsed = parseVersionUrl(properties.id ?? "")
  if ("object" in parsed)
    return { object: parsed.object, attributes: fromVersionProperties(properties), managed }
  throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault listed an id that is no version", {
    details: { vault },
  })
}
