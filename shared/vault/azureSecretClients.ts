import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import { SecretClient, type SecretProperties } from "@azure/keyvault-secrets"
import type { VersionAttributes } from "./vaultReader.ts"

export interface AzureVaultOptions {
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  /**
   * Does the client check that the vault's challenge names a resource that fits the vault's host? Off only for
   * the local cloud, whose vault is at 127.0.0.1.
   */
  readonly challengeCheck: boolean
}

/**
 * One client a vault, kept: a client asks for its challenge once and then re-uses connection and token.
 * The clients retry nothing; the caller's retry schedule does.
 */
export function createSecretClients(options: AzureVaultOptions): (vault: string) => SecretClient {
  const clients = new Map<string, SecretClient>()
  return (vault) => {
    let client = clients.get(vault)
    if (!client) {
      client = new SecretClient(vault, options.credential, {
        httpClient: options.httpClient,
        disableChallengeResourceVerification: !options.challengeCheck,
        retryOptions: { maxRetries: 0 },
      })
      clients.set(vault, client)
    }
    return client
  }
}

/** The attributes of one version, in our words. */
export function fromSecretProperties(properties: SecretProperties): VersionAttributes {
  const { enabled, createdOn, updatedOn, notBefore, expiresOn, recoveryLevel, recoverableDays } = properties
  return {
    enabled: enabled ?? true,
    ...(createdOn ? { created: createdOn } : {}),
    ...(updatedOn ? { updated: updatedOn } : {}),
    ...(notBefore ? { notBefore } : {}),
    ...(expiresOn ? { expires: expiresOn } : {}),
    ...(recoveryLevel === undefined ? {} : { recoveryLevel }),
    ...(recoverableDays === undefined ? {} : { recoverableDays }),
  }
}
