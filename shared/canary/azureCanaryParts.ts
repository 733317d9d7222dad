import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import { createAzureHttpClient } from "../azureHttpClient.ts"
import type { Clock } from "../clock.ts"
import type { SettingsWith } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import { createAzureVaultWriter } from "../vault/azureVaultWriter.ts"
import { callHeartbeat } from "./heartbeat.ts"
import type { CanaryParts } from "./runCanary.ts"

export interface AzureCanaryOptions {
  readonly settings: SettingsWith<"BACKUP_STORE_URL">
  /** Of the identity of the canary. */
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  readonly clock: Clock
}

/**
 * Everything that a canary works with, on Azure. `close` ends its connections to the vault.
 *
 * @throws ServiceError ERR_CONFIG_INVALID without BACKUP_CANARY_SECRET.
 */
export function openAzureCanary({
  settings,
  credential,
  httpClient,
  clock,
}: AzureCanaryOptions): CanaryParts & { readonly close: () => Promise<void> } {
  const { BACKUP_CANARY_SECRET: secretUrl, BACKUP_HEARTBEAT_URL: heartbeatUrl } = settings
  if (secretUrl === undefined) {
    throw new ServiceError("ERR_CONFIG_INVALID", "BACKUP_CANARY_SECRET is not set")
  }
  const writerHttpClient = createAzureHttpClient({ resendsPuts: false })
  const audience = settings.BACKUP_VAULT_AUDIENCE
  return {
    secretUrl,
    writer: createAzureVaultWriter({
      credential,
      httpClient: writerHttpClient,
      challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
      ...(audience === undefined ? {} : { audience }),
    }),
    catalog: createAzureStoreCatalog({
      url: settings.BACKUP_STORE_URL,
      container: settings.BACKUP_STORE_CONTAINER,
      credential,
      httpClient,
    }),
    clock,
    isPaused: settings.BACKUP_PAUSED,
    ...(heartbeatUrl === undefined ? {} : { heartbeat: () => callHeartbeat(heartbeatUrl) }),
    close: () => writerHttpClient.close(),
  }
}
