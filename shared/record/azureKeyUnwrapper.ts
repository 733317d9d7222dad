import { CryptographyClient } from "@azure/keyvault-keys"
import { fromVaultError } from "../azureErrors.ts"
import { ServiceError } from "../errors.ts"
import { restrictAudience } from "../vault/azureVaultAudience.ts"
import type { AzureVaultOptions } from "../vault/azureVaultClients.ts"
import type { KeyUnwrapper } from "./keyUnwrapper.ts"

/** `https://VAULT/keys/NAME/VERSION`. */
const keyUrl = /^https:\/\/[a-z0-9.-]+(?::\d{1,5})?\/keys\/([0-9a-z-]{1,127})\/([0-9a-f]{32})$/i

/** Is `kid` the full URL of a key version in a vault? Other kids name keys that are kept in files. */
export function isKeyUrl(kid: string): boolean {
  return keyUrl.test(kid)
}

/**
 * Unwraps with a key in Key Vault, one call a record. See KeyUnwrapper for the promise.
 *
 * Only ever make one for a kid that a person or a setting named: a record's own recipients may come from anybody, and
 * whoever stands at such a URL would be sent a token.
 *
 * @param kid - the full key URL with version.
 * @throws ServiceError ERR_CONFIG_INVALID when `kid` is no such URL.
 */
export function createAzureKeyUnwrapper(kid: string, options: AzureVaultOptions): KeyUnwrapper {
  const [, name, version] = keyUrl.exec(kid) ?? []
  if (name === undefined || version === undefined) {
    throw new ServiceError("ERR_CONFIG_INVALID", "A Key Vault key is named by its full URL with version", {
      hint: "Use https://VAULT/keys/NAME/VERSION, as it stands among the recipients.",
    })
  }
  const { audience, httpClient, challengeCheck } = options
  // As a key and not as a URL: the client would fetch a URL's key first, and refuse to unwrap with one that has
  // expired, which Key Vault allows (https://learn.microsoft.com/azure/key-vault/keys/about-keys-details).
  const key = { id: kid, name, properties: { vaultUrl: new URL(kid).origin, name, version } }
  const client = new CryptographyClient(
    key,
    audience === undefined ? options.credential : restrictAudience(options.credential, audience),
    {
      httpClient,
      disableChallengeResourceVerification: !challengeCheck || audience !== undefined,
      retryOptions: { maxRetries: 0 },
    },
  )
  return {
    kid,
    unwrap: async (wrappedKey, { signal } = {}) => {
      try {
        const options = signal ? { abortSignal: signal } : {}
        const { result } = await client.unwrapKey("RSA-OAEP-256", wrappedKey, options)
        return result
      } catch (thrown) {
        throw toUnwrapError(thrown, kid)
      }
    },
  }
}

function toUnwrapError(thrown: unknown, kid: string): ServiceError {
  const error = fromVaultError(thrown, { key: kid })
  const { status, innerCode } = outlineOf(thrown)
  if (status === 400) {
    const what = "The record's content key is not one that was wrapped for this key"
    return new ServiceError("ERR_SEAL_INTEGRITY", what, { details: error.details, cause: error })
  }
  const isUnusable =
    error.code === "ERR_VAULT_VERSION_DISABLED" ||
    error.code === "ERR_VAULT_VERSION_ABSENT" ||
    /^Key(NotYetValid|Expired|OperationForbidden)$/.test(innerCode)
  if (error.code === "ERR_VAULT_FORBIDDEN") {
    const said = error.message.replace(/^\[\w+\] /, "")
    const hint =
      "Assign to yourself the right to unwrap with this key (Key Vault Crypto Service Encryption User)."
    return new ServiceError(error.code, said, { details: error.details, hint, cause: error })
  }
  if (!isUnusable) return error
  return new ServiceError("ERR_SEAL_NO_KEY", "The key is not there, or may not be used to unwrap", {
    details: error.details,
    cause: error,
    hint: "Enable or recover the key in its vault, or use another key that is among the record's recipients.",
  })
}

function outlineOf(thrown: unknown): { readonly status: unknown; readonly innerCode: string } {
  if (typeof thrown !== "object" || thrown === null) return { status: undefined, innerCode: "" }
  const details: unknown = Reflect.get(thrown, "details")
  const text = JSON.stringify(details ?? {})
  const [, innerCode = ""] = /"inner[eE]rror"\s*:\s*\{\s*"code"\s*:\s*"(\w{1,80})"/.exec(text) ?? []
  return { status: Reflect.get(thrown, "statusCode"), innerCode }
}
