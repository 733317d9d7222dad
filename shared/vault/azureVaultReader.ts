import { fromVaultError } from "../azureErrors.ts"
import { formatVersionUrl, type ObjectVersion, parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { SecretValue } from "../secretValue.ts"
import { type AzureVaultOptions, createVaultClients, fromVersionProperties } from "./azureVaultClients.ts"
import type { VaultReader } from "./vaultReader.ts"

/** Reads through the Key Vault REST API. See VaultReader for the promise. */
export function createAzureVaultReader(options: AzureVaultOptions): VaultReader {
  const clientsOf = createVaultClients(options)
  return {
    readSecret: async (object, { signal } = {}) => {
      let isAnswered = false
      try {
        const { properties, value } = await clientsOf(object.vault).secrets.getSecret(object.name, {
          version: object.version,
          ...(signal ? { abortSignal: signal } : {}),
          onResponse: ({ status }) => {
            isAnswered = status < 300
          },
        })
        const id = sameVersion(properties.id, object)
        return {
          id,
          ...(typeof value === "string" ? { value: new SecretValue(value) } : {}),
          ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
          tags: { ...properties.tags },
          attributes: fromVersionProperties(properties),
          managed: properties.managed === true || properties.certificateKeyId !== undefined,
        }
      } catch (error) {
        throw toReadError(error, object, isAnswered)
      }
    },
    readCertificate: async (object, { signal } = {}) => {
      let isAnswered = false
      try {
        let policy: unknown
        const certificate = await clientsOf(object.vault).certificates.getCertificateVersion(
          object.name,
          object.version,
          {
            ...(signal ? { abortSignal: signal } : {}),
            // The answer holds the policy; the client's own result for a version leaves it out.
            onResponse: ({ bodyAsText, status }) => {
              isAnswered = status < 300
              policy = policyOf(bodyAsText ?? "")
            },
          },
        )
        const { properties, cer, keyId, secretId } = certificate
        const id = sameVersion(certificate.id ?? properties.id, object)
        if (!cer || cer.length === 0 || secretId === undefined) {
          throw invalid(object, "The vault's answer has no certificate or no secret id")
        }
        return {
          id,
          ...(keyId === undefined ? {} : { keyId }),
          secretId,
          cer,
          ...(isObject(policy) ? { policy } : {}),
          tags: { ...properties.tags },
          attributes: fromVersionProperties(properties),
        }
      } catch (error) {
        throw toReadError(error, object, isAnswered)
      }
    },
  }
}

/**
 * What the client throws over an answer of 2xx that it cannot read has no status, and may quote the answer: of that
 * only the kind is kept.
 */
function toReadError(thrown: unknown, object: ObjectVersion, isAnswered: boolean): ServiceError {
  const error = fromVaultError(thrown, { object: formatVersionUrl(object) })
  if (!isAnswered || error.code !== "ERR_UNKNOWN") return error
  return invalid(object, "The vault's answer is not a version as vaults describe one")
}

/** @throws ServiceError ERR_VAULT_RESPONSE_INVALID when `id` is not the version that was asked for. */
function sameVersion(id: string | undefined, asked: ObjectVersion): string {
  const parsed = parseVersionUrl(id ?? "")
  if (id !== undefined && "object" in parsed && formatVersionUrl(parsed.object) === formatVersionUrl(asked))
    return id
  throw invalid(asked, "The vault's answer carries another id than the one asked for")
}

function invalid(object: ObjectVersion, what: string): ServiceError {
  return new ServiceError("ERR_VAULT_RESPONSE_INVALID", what, {
    details: { object: formatVersionUrl(object) },
  })
}

function policyOf(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body)
    return isObject(json) ? json["policy"] : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
