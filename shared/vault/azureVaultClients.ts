import type { TokenCredential } from "@azure/core-auth"
import { type HttpClient, type PipelinePolicy, RestError } from "@azure/core-rest-pipeline"
import { CertificateClient, type CertificateProperties } from "@azure/keyvault-certificates"
import { SecretClient, type SecretProperties } from "@azure/keyvault-secrets"
import { fromVaultError, innerCodeHeader } from "../azureErrors.ts"
import { restrictAudience } from "./azureVaultAudience.ts"
import type { Pace } from "./vaultPager.ts"
import type { VersionAttributes } from "./vaultReader.ts"

export interface AzureVaultOptions {
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  /**
   * Does the client check that the vault's challenge names a resource that fits the vault's host? Off only for
   * the local cloud, whose vault is at 127.0.0.1.
   */
  readonly challengeCheck: boolean
  /** The only audience of which tokens are asked for, such as `https://vault.azure.cn`; takes the place of that check. */
  readonly audience?: string
  /** Through which every request goes. A refusal that passes by itself reaches it as a ServiceError. */
  readonly pace?: Pace
}

/** The two clients of one vault. */
export interface VaultClients {
  readonly secrets: SecretClient
  readonly certificates: CertificateClient
}

/**
 * Clients by vault, kept: a client asks for its challenge once and then re-uses connection and token.
 * The clients retry nothing; the caller's retry schedule does.
 *
 * @param policies - done once a call, before the client's own.
 */
export function createVaultClients(
  options: AzureVaultOptions,
  policies: readonly PipelinePolicy[] = [],
): (vault: string) => VaultClients {
  const clients = new Map<string, VaultClients>()
  const { audience } = options
  const credential =
    audience === undefined ? options.credential : restrictAudience(options.credential, audience)
  const clientOptions = {
    httpClient: options.httpClient,
    disableChallengeResourceVerification: !options.challengeCheck || audience !== undefined,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      ...(options.pace ? [{ policy: pacePolicy(options.pace), position: "perCall" as const }] : []),
      ...[keepInnerCode, ...policies].map((policy) => ({ policy, position: "perCall" as const })),
    ],
  }
  return (vault) => {
    const known = clients.get(vault)
    if (known) return known
    const made = {
      secrets: new SecretClient(vault, credential, clientOptions),
      certificates: new CertificateClient(vault, credential, clientOptions),
    }
    clients.set(vault, made)
    return made
  }
}

function pacePolicy(pace: Pace): PipelinePolicy {
  return {
    name: "pace",
    sendRequest: (request, next) => {
      const { host, origin } = new URL(request.url)
      return pace(host, async () => {
        try {
          const response = await next(request)
          if (response.status !== 429 && response.status < 500) return response
          throw new RestError("The vault is not ready", { statusCode: response.status, request, response })
        } catch (error) {
          throw fromVaultError(error, { vault: origin })
        }
      })
    },
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
export function fromVersionProperties(
  properties: SecretProperties | CertificateProperties,
): VersionAttributes {
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
