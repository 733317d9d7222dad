import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import { createAllowList } from "../change/allowList.ts"
import type { SettingName, SettingsWith } from "../config.ts"
import { createAzureQueueInspector } from "../queue/azureQueueInspector.ts"
import { createServiceBusClient } from "../queue/azureServiceBusClient.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import type { ReadAuditOptions } from "./readAudit.ts"

/** The settings without which nothing can be audited. */
export const auditSettings = [
  "BACKUP_VAULTS",
  "BACKUP_STORE_URL",
  "BackupServiceBus__fullyQualifiedNamespace",
] as const satisfies readonly SettingName[]

export interface OpenAzureAuditOptions {
  readonly settings: SettingsWith<(typeof auditSettings)[number]>
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
}

/** What an audit is made from. `close` ends the connections to the queues. */
export interface AuditParts extends Pick<ReadAuditOptions, "store" | "queues" | "hasCanary"> {
  close(): Promise<void>
}

/** Store and queues of this installation, as the identity of the audit. Opens no connection yet. */
export function openAzureAudit({ settings, credential, httpClient }: OpenAzureAuditOptions): AuditParts {
  const serviceBus = createServiceBusClient({
    fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
    credential,
  })
  return {
    store: createAzureStoreCatalog({
      url: settings.BACKUP_STORE_URL,
      container: settings.BACKUP_STORE_CONTAINER,
      credential,
      httpClient,
    }),
    queues: {
      inspector: createAzureQueueInspector(serviceBus),
      queue: settings.BACKUP_QUEUE,
      quarantineQueue: settings.BACKUP_QUARANTINE_QUEUE,
      allowList: createAllowList(settings.BACKUP_VAULTS),
    },
    hasCanary: settings.BACKUP_CANARY_SECRET !== undefined,
    close: () => serviceBus.close(),
  }
}
