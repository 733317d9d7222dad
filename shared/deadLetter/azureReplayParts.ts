import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import { createAllowList } from "../change/allowList.ts"
import type { Clock } from "../clock.ts"
import type { SettingsWith } from "../config.ts"
import { createServiceBusClient } from "../queue/azureServiceBusClient.ts"
import { createAzureBackupStore } from "../store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../store/azureStoreReader.ts"
import { createAzureCopySender } from "./azureCopySender.ts"
import { createAzureEventGridDeadLetters } from "./azureEventGridDeadLetters.ts"
import { createAzureQueueDeadLetters } from "./azureQueueDeadLetters.ts"
import { createAzureRunnerLease } from "./azureRunnerLease.ts"
import type { DeadLetterSource } from "./deadLetterSource.ts"
import { createProtectedVersions } from "./protectedVersions.ts"
import { createReplayJournal } from "./replayJournal.ts"
import type { ReplayParts } from "./runReplay.ts"

/** Settings without which nothing can be replayed. `BACKUP_DEADLETTER_URL` is needed for Event Grid's dead letters only. */
export const replaySettings = [
  "BACKUP_VAULTS",
  "BACKUP_STORE_URL",
  "BackupServiceBus__fullyQualifiedNamespace",
] as const

export interface AzureReplayOptions {
  readonly settings: SettingsWith<(typeof replaySettings)[number]>
  /** Of the identity of replay. */
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  readonly clock: Clock
}

/** Everything that a replay works with, on Azure. `close` ends its connections to the queues. */
export function openAzureReplay({
  settings,
  credential,
  httpClient,
  clock,
}: AzureReplayOptions): ReplayParts & {
  readonly close: () => Promise<void>
} {
  const client = createServiceBusClient({
    fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
    credential,
  })
  const { BACKUP_QUEUE: changes, BACKUP_QUARANTINE_QUEUE: quarantine } = settings
  const inAccount = (container: string, url = settings.BACKUP_STORE_URL) => ({
    url,
    container,
    credential,
    httpClient,
  })
  const store = inAccount(settings.BACKUP_STORE_CONTAINER)
  const catalog = createAzureStoreCatalog(store)
  const sources: DeadLetterSource[] = [
    createAzureQueueDeadLetters(client, { source: "dead-letter", queueName: changes, store: "deadLetter" }),
    createAzureQueueDeadLetters(client, { source: "quarantine", queueName: quarantine, store: "queue" }),
    // Where quarantine's own messages go that were taken too often without being settled.
    createAzureQueueDeadLetters(client, { source: "quarantine", queueName: quarantine, store: "deadLetter" }),
  ]
  if (settings.BACKUP_DEADLETTER_URL !== undefined) {
    sources.push(
      createAzureEventGridDeadLetters(
        inAccount(settings.BACKUP_DEADLETTER_CONTAINER, settings.BACKUP_DEADLETTER_URL),
      ),
    )
  }
  const journal = createReplayJournal(
    { add: createAzureBackupStore(store), catalog, reader: createAzureStoreReader(store) },
    clock,
  )
  return {
    allowList: createAllowList(settings.BACKUP_VAULTS),
    replayMax: settings.BACKUP_REPLAY_MAX,
    sources,
    sender: createAzureCopySender(client, { changes, quarantine }),
    catalog,
    journal,
    versions: createProtectedVersions(catalog),
    lease: createAzureRunnerLease(inAccount(settings.BACKUP_STATE_CONTAINER), clock),
    clock,
    close: () => client.close(),
  }
}
