import type { CertificateProperties } from "@azure/keyvault-certificates"
import type { SecretProperties } from "@azure/keyvault-secrets"
import { fromVaultError } from "../azureErrors.ts"
import { parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { type AzureVaultOptions, createVaultClients, fromVersionProperties } from "./azureVaultClients.ts"
import type { ListedVersion } from "./vaultCatalog.ts"
import type { VaultPager } from "./vaultPager.ts"

/**
 * Lists through the Key Vault REST API, 25 a page, each page by `pace` where the options have one. See VaultPager for
 * the promise.
 */
export function createAzureVaultPager(options: AzureVaultOptions): VaultPager {
  const clientsOf = createVaultClients(options)
  return {
    async *names(vault, kind, { signal } = {}) {
      const { secrets, certificates } = clientsOf(vault)
      const pages =
        kind === "secret"
          ? secrets.listPropertiesOfSecrets().byPage()
          : certificates.listPropertiesOfCertificates().byPage()
      try {
        signal?.throwIfAborted()
        for await (const page of pages) {
          yield page.map(({ name }) => nameOf(name, vault))
          signal?.throwIfAborted()
        }
      } catch (error) {
        throw fromVaultError(error, { vault })
      }
    },
    async *versions(vault, kind, name, { signal } = {}) {
      const { secrets, certificates } = clientsOf(vault)
      const pages =
        kind === "secret"
          ? secrets.listPropertiesOfSecretVersions(name).byPage()
          : certificates.listPropertiesOfCertificateVersions(name).byPage()
      try {
        signal?.throwIfAborted()
        for await (const page of pages) {
          yield page.map((properties) => listedVersion(vault, properties))
          signal?.throwIfAborted()
        }
      } catch (thrown) {
        const error = fromVaultError(thrown, { vault, name })
        // Deleted since its name was listed.
        if (error.code !== "ERR_VAULT_VERSION_ABSENT") throw error
      }
    },
  }
}

function nameOf(name: string | undefined, vault: string): string {
  if (name !== undefined) return name.toLowerCase()
  throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault listed an object without a name", {
    details: { vault },
  })
}

function listedVersion(vault: string, properties: SecretProperties | CertificateProperties): ListedVersion {
  const parsed = parseVersionUrl(properties.id ?? "")
  if ("object" in parsed) {
    return {
      object: parsed.object,
      attributes: fromVersionProperties(properties),
      managed: "managed" in properties && properties.managed === true,
    }
  }
  throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault listed an id that is no version", {
    details: { vault },
  })
}
