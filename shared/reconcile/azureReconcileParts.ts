import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import type { Clock } from "../clock.ts"
import type { SettingsWith } from "../config.ts"
import { createAzureCopySender } from "../deadLetter/azureCopySender.ts"
import { createServiceBusClient } from "../queue/azureServiceBusClient.ts"
import { createAzureBackupStore } from "../store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../store/azureStoreReader.ts"
import { createAzureVaultPager } from "../vault/azureVaultPager.ts"
import type { VaultLimiter } from "../vault/vaultLimiter.ts"
import { createReconcileLedger } from "./reconcileLedger.ts"
import type { ReconcileParts } from "./runReconcile.ts"

/** Settings without which nothing can be reconciled. */
export const reconcileSettings = [
  "BACKUP_VAULTS",
  "BACKUP_STORE_URL",
  "BackupServiceBus__fullyQualifiedNamespace",
] as const

export interface AzureReconcileOptions {
  readonly settings: SettingsWith<(typeof reconcileSettings)[number]>
  /** Of the identity of reconcile. */
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  readonly limiter: VaultLimiter
  readonly clock: Clock
}

/** Everything that reconciliation works with, on Azure. `close` ends its connections to the queue. */
export function openAzureReconcile({
  settings,
  credential,
  httpClient,
  limiter,
  clock,
}: AzureReconcileOptions): ReconcileParts & { readonly close: () => Promise<void> } {
  const client = createServiceBusClient({
    fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
    credential,
  })
  const inContainer = {
    url: settings.BACKUP_STORE_URL,
    container: settings.BACKUP_STORE_CONTAINER,
    credential,
    httpClient,
  }
  const catalog = createAzureStoreCatalog(inContainer)
  const store = createAzureBackupStore(inContainer)
  const { BACKUP_QUEUE: changes, BACKUP_QUARANTINE_QUEUE: quarantine } = settings
  return {
    pagerOf: (pace) =>
      createAzureVaultPager({
        credential,
        httpClient,
        challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
        ...(settings.BACKUP_VAULT_AUDIENCE === undefined ? {} : { audience: settings.BACKUP_VAULT_AUDIENCE }),
        pace,
      }),
    limiter,
    catalog,
    sender: createAzureCopySender(client, { changes, quarantine }),
    store,
    ledger: createReconcileLedger({ add: store, catalog, reader: createAzureStoreReader(inContainer) }),
    exclude: settings.BACKUP_EXCLUDE,
    clock,
    close: () => client.close(),
  }
}
