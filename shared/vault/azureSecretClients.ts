import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient, PipelinePolicy } from "@azure/core-rest-pipeline"
import { SecretClient, type SecretProperties } from "@azure/keyvault-secrets"
import { innerCodeHeader } from "../azureErrors.ts"
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
        additionalPolicies: [{ policy: keepInnerCode, position: "perCall" }],
      })
      clients.set(vault, client)
    }
    return client
  }
}

/** Puts the inner code of a refusal where the error of a listing still has it. */
const keepInnerCode: PipelinePolicy = {
  name: "keepInnerCode",
  sendRequest: async (request, next) => {
    const response = await next(request)
    if (response.status >= 400) {
      const [, code] =
        /"inner[eE]rror"\s*:\s*\{\s*"code"\s*:\s*"(\w{1,80})"/.exec(response.bodyAsText ?? "") ?? []
      if (code !== undefined) response.headers.set(innerCodeHeader, code)
    }
    return response
  },
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
