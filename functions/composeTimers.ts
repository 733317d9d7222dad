import type { HttpClient } from "@azure/core-rest-pipeline"
import { openAzureAudit } from "../shared/audit/azureAudit.ts"
import type { BacklogOptions } from "../shared/audit/backlog.ts"
import { type CredentialKind, createCredential } from "../shared/azureCredential.ts"
import { openAzureCanary } from "../shared/canary/azureCanaryParts.ts"
import type { CanaryParts } from "../shared/canary/runCanary.ts"
import { createAllowList } from "../shared/change/allowList.ts"
import type { Clock } from "../shared/clock.ts"
import type { SettingsWith } from "../shared/config.ts"
import { openAzureReplay, type replaySettings } from "../shared/deadLetter/azureReplayParts.ts"
import { createProtectedVersions } from "../shared/deadLetter/protectedVersions.ts"
import type { ReplayParts } from "../shared/deadLetter/runReplay.ts"
import { openAzureDigests } from "../shared/digest/azureDigestParts.ts"
import type { DigestParts } from "../shared/digest/writeDigests.ts"
import { createAzureQueueInspector } from "../shared/queue/azureQueueInspector.ts"
import { createServiceBusClient } from "../shared/queue/azureServiceBusClient.ts"
import { openAzureReconcile } from "../shared/reconcile/azureReconcileParts.ts"
import type { ReconcileParts } from "../shared/reconcile/runReconcile.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import type { VaultLimiter } from "../shared/vault/vaultLimiter.ts"
import type { LatencyReportApp } from "./latencyReport.ts"

export interface ComposeTimersOptions {
  readonly settings: SettingsWith<(typeof replaySettings)[number]>
  readonly kind: CredentialKind
  readonly httpClient: HttpClient
  readonly clock: Clock
  /** That of live changes. */
  readonly limiter: VaultLimiter
}

/** What the timers work with, each as its own identity, opened when it is first asked for. */
export interface Timers {
  readonly openReplay: () => ReplayParts
  readonly openAudit: LatencyReportApp["openAudit"]
  readonly openBacklog: () => BacklogOptions
  readonly openReconcile: () => ReconcileParts & { readonly vaults: readonly string[] }
  readonly openDigests: () => Promise<DigestParts>
  /** Throws ERR_CONFIG_INVALID without BACKUP_CANARY_SECRET. */
  readonly openCanary: () => CanaryParts
  readonly close: () => Promise<void>
}

/** The parts of the timers, from the settings of the worker. */
export function composeTimers({ settings, kind, httpClient, clock, limiter }: ComposeTimersOptions): Timers {
  const closes: (() => Promise<void>)[] = []
  return {
    openReplay: once(() => {
      const credential = createCredential(kind, settings.BACKUP_REPLAY_CLIENT_ID)
      const replay = openAzureReplay({ settings, credential, httpClient, clock })
      closes.push(replay.close)
      return replay
    }),
    openAudit: once(() => {
      const credential = createCredential(kind, settings.BACKUP_AUDIT_CLIENT_ID)
      const audit = openAzureAudit({ settings, credential, httpClient })
      closes.push(audit.close)
      return { ...audit, vaults: settings.BACKUP_VAULTS, objective: settings.BACKUP_OBJECTIVE }
    }),
    openBacklog: once(() => {
      const credential = createCredential(kind, settings.BACKUP_AUDIT_CLIENT_ID)
      const client = createServiceBusClient({
        fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
        credential,
      })
      closes.push(() => client.close())
      const catalog = createAzureStoreCatalog({
        url: settings.BACKUP_STORE_URL,
        container: settings.BACKUP_STORE_CONTAINER,
        credential,
        httpClient,
      })
      return {
        queues: createAzureQueueInspector(client),
        queue: settings.BACKUP_QUEUE,
        quarantineQueue: settings.BACKUP_QUARANTINE_QUEUE,
        versions: createProtectedVersions(catalog),
        allowList: createAllowList(settings.BACKUP_VAULTS),
      }
    }),
    openReconcile: once(() => {
      const credential = createCredential(kind, settings.BACKUP_RECONCILE_CLIENT_ID)
      const reconcile = openAzureReconcile({ settings, credential, httpClient, limiter, clock })
      closes.push(reconcile.close)
      return { ...reconcile, vaults: settings.BACKUP_VAULTS }
    }),
    openDigests: async () => {
      const credential = createCredential(kind, settings.BACKUP_AUDIT_CLIENT_ID)
      return openAzureDigests({ settings, credential, httpClient, clock })
    },
    openCanary: once(() => {
      const credential = createCredential(kind, settings.BACKUP_CANARY_CLIENT_ID)
      const canary = openAzureCanary({ settings, credential, httpClient, clock })
      closes.push(canary.close)
      return canary
    }),
    close: async () => {
      await Promise.all(closes.splice(0).map((close) => close()))
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
