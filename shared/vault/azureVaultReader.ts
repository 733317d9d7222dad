import { fromVaultError } from "../azureErrors.ts"
import { formatVersionUrl, parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { SecretValue } from "../secretValue.ts"
import { type AzureVaultOptions, createSecretClients, fromSecretProperties } from "./azureSecretClients.ts"
import type { VaultReader } from "./vaultReader.ts"

/** Reads through the Key Vault REST API. See VaultReader for the promise. */
export function createAzureVaultReader(options: AzureVaultOptions): VaultReader {
  const clientOf = createSecretClients(options)
  return {
    readSecret: async (object, { signal } = {}) => {
      const asked = formatVersionUrl(object)
      const details = { object: asked }
      try {
        const secret = await clientOf(object.vault).getSecret(object.name, {
          version: object.version,
          ...(signal ? { abortSignal: signal } : {}),
        })
        const { properties, value } = secret
        if (!isSameVersion(properties.id, asked)) {
          throw new ServiceError(
            "ERR_VAULT_RESPONSE_INVALID",
            "The vault's answer carries another id than the one asked for",
            { details },
          )
        }
        return {
          id: properties.id ?? asked,
          ...(typeof value === "string" ? { value: new SecretValue(value) } : {}),
          ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
          tags: { ...properties.tags },
          attributes: fromSecretProperties(properties),
          managed: properties.managed === true || properties.certificateKeyId !== undefined,
        }
      } catch (error) {
        throw fromVaultError(error, details)
      }
    },
  }
}

function isSameVersion(id: string | undefined, asked: string): boolean {
  if (id === undefined) return false
  const parsed = parseVersionUrl(id)
  return "object" in parsed && formatVersionUrl(parsed.object) === asked
}
