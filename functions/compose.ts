import { createCredential } from "../shared/azureCredential.ts"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { createAllowList } from "../shared/change/allowList.ts"
import { type Clock, systemClock } from "../shared/clock.ts"
import { loadSettings, type Settings } from "../shared/config.ts"
import { examine } from "../shared/diagnosis/azureDoctor.ts"
import { ServiceError } from "../shared/errors.ts"
import { createLog, errorFields, type LogLevel } from "../shared/log.ts"
import { createAzureChangeQueue } from "../shared/queue/azureChangeQueue.ts"
import { createServiceBusClient } from "../shared/queue/azureServiceBusClient.ts"
import {
  importRecipients,
  type Recipient,
  type RecipientKeys,
  recipientsOf,
} from "../shared/record/recipients.ts"
import { createAzureBackupStore } from "../shared/store/azureBackupStore.ts"
import { requireImmutability } from "../shared/store/protectionGate.ts"
import type { TelemetryExport } from "../shared/telemetry/azureTelemetryExport.ts"
import { readMessagingConventions } from "../shared/telemetry/messagingConventions.ts"
import { createTelemetry } from "../shared/telemetry/telemetry.ts"
import { createAzureVaultReader } from "../shared/vault/azureVaultReader.ts"
import { createVaultLimiter, limitVaultReader } from "../shared/vault/vaultLimiter.ts"
import type { BackupVersionApp } from "./backupVersion.ts"
import { composeTimers } from "./composeTimers.ts"
import type { HealthApp } from "./health.ts"
import type { HealthDetailsApp } from "./healthDetails.ts"
import type { LatencyReportApp } from "./latencyReport.ts"
import type { ReconcileVaultsApp } from "./reconcileVaults.ts"
import type { ReplayDeadLettersApp } from "./replayDeadLetters.ts"
import type { SendCanaryApp } from "./sendCanary.ts"
import type { WatchBacklogApp } from "./watchBacklog.ts"
import type { WriteDigestApp } from "./writeDigest.ts"

/**
 * The host gives a worker 10 s to start, appStart hooks included, and starts it anew for ever when it takes longer
 * (https://github.com/Azure/azure-functions-host, WorkerProcessCountOptions.InitializationTimeout).
 */
const startPatienceMs = 5000

/** The running worker: its parts, what must hold before it works, and its end. */
export interface Worker
  extends
    BackupVersionApp,
    HealthApp,
    HealthDetailsApp,
    LatencyReportApp,
    ReconcileVaultsApp,
    ReplayDeadLettersApp,
    SendCanaryApp,
    WatchBacklogApp,
    WriteDigestApp {
  readonly settings: Settings
  /**
   * Refuses to start where starting would be wrong. A store that cannot be asked yet is no reason: then each change
   * is deferred until it answers.
   *
   * @throws ServiceError ERR_STORE_NOT_IMMUTABLE; ERR_CONFIG_INVALID for a recipient that is no usable key.
   */
  readonly assertMayStart: () => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Builds the worker from its settings. The only place that makes clients for the functions.
 *
 * @param write - where log lines go.
 * @param exported - where telemetry goes; absent, to the providers of this process, if it has any.
 * @throws ServiceError ERR_CONFIG_INVALID with every wrong setting at once.
 */
export function compose(
  env: Readonly<Record<string, string | undefined>>,
  write: (level: LogLevel, line: string) => void,
  exported: Partial<Pick<TelemetryExport, "meters" | "tracers">> = {},
): Worker {
  const settings = loadSettings(env, [
    "BACKUP_VAULTS",
    "BACKUP_STORE_URL",
    "BACKUP_RECIPIENTS",
    "BackupServiceBus__fullyQualifiedNamespace",
  ])
  const kind = settings.BACKUP_CREDENTIAL ?? "managedIdentity"
  const isProduction = settings.BACKUP_MODE === "production"
  if (isProduction && kind !== "managedIdentity") {
    throw new ServiceError(
      "ERR_CONFIG_INVALID",
      "BACKUP_CREDENTIAL must be managedIdentity for functions in production",
    )
  }
  const clock = systemClock
  const log = createLog(write, clock)
  if (settings.BACKUP_PAUSED) log.warn("start.paused")
  const telemetry = createTelemetry({
    clock,
    conventions: readMessagingConventions(env["OTEL_SEMCONV_STABILITY_OPT_IN"]),
    queue: settings.BACKUP_QUEUE,
    ...exported,
  })
  const limiter = createVaultLimiter({ clock, onThrottled: telemetry.throttled })
  telemetry.watchLimiter(
    limiter,
    settings.BACKUP_VAULTS.map((vault) => new URL(vault).host),
  )
  const credential = createCredential(kind, settings.BACKUP_BACKUP_CLIENT_ID)
  const httpClient = createAzureHttpClient()
  const serviceBus = createServiceBusClient({
    fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
    credential,
  })
  const plainStore = createAzureBackupStore({
    url: settings.BACKUP_STORE_URL,
    container: settings.BACKUP_STORE_CONTAINER,
    credential,
    httpClient,
  })
  const guarded = requireImmutability(plainStore, settings.BACKUP_STORE_CONTAINER)
  const recipientsOfVault = rememberRecipients(settings.BACKUP_RECIPIENTS)
  const timers = composeTimers({ settings, kind, httpClient, clock, limiter })
  return {
    ...timers,
    settings,
    clock,
    log,
    telemetry,
    allowList: createAllowList(settings.BACKUP_VAULTS),
    ...(settings.BACKUP_CANARY_SECRET === undefined ? {} : { canarySecret: settings.BACKUP_CANARY_SECRET }),
    changes: createAzureChangeQueue(serviceBus, settings.BACKUP_QUEUE),
    quarantine: createAzureChangeQueue(serviceBus, settings.BACKUP_QUARANTINE_QUEUE),
    retry: {
      firstDelayMs: settings.BACKUP_RETRY_FIRST_DELAY,
      maxDelayMs: settings.BACKUP_RETRY_MAX_DELAY,
      maxAgeMs: settings.BACKUP_RETRY_MAX_AGE,
    },
    backup: {
      vault: limitVaultReader(
        createAzureVaultReader({
          credential,
          httpClient,
          challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
          ...(settings.BACKUP_VAULT_AUDIENCE === undefined
            ? {}
            : { audience: settings.BACKUP_VAULT_AUDIENCE }),
        }),
        limiter,
      ),
      store: isProduction ? guarded : plainStore,
      recipientsOf: recipientsOfVault,
      clock,
      exclude: settings.BACKUP_EXCLUDE,
    },
    assertMayStart: async () => {
      await Promise.all(settings.BACKUP_VAULTS.map(recipientsOfVault))
      if (!isProduction) return
      try {
        await inTime((signal) => guarded.check({ signal }), clock)
      } catch (error) {
        if (error instanceof ServiceError && error.code === "ERR_STORE_NOT_IMMUTABLE") throw error
        log.warn("start.storeNotChecked", errorFields(error))
      }
    },
    checkHealth: async () => {
      try {
        // A gate of its own: the worker's remembers its first good answer, and health asks about this moment.
        const asked = requireImmutability(plainStore, settings.BACKUP_STORE_CONTAINER)
        await (isProduction ? asked.check() : asked.describeProtection())
      } catch (error) {
        log.error("health.notOk", errorFields(error))
        throw error
      }
    },
    examine: () =>
      examine({
        env,
        settings,
        // Days only the management plane tells, and the worker has no right there.
        demandsDays: false,
        jobs: ["backup"],
        credentialOf: () => ({ kind, credential }),
        httpClient,
        clock,
      }),
    close: async () => {
      await timers.close()
      await serviceBus.close()
      await httpClient.close()
    },
  }
}

/** What `work` gives. @throws ServiceError ERR_STORE_UNAVAILABLE when the start cannot wait for it any longer. */
async function inTime<T>(work: (signal: AbortSignal) => Promise<T>, clock: Clock): Promise<T> {
  const settled = new AbortController()
  const { signal } = settled
  const late = async (): Promise<never> => {
    await clock.sleep(startPatienceMs, { signal })
    throw new ServiceError("ERR_STORE_UNAVAILABLE", "The store did not answer while the app started")
  }
  try {
    return await Promise.race([work(signal), late()])
  } finally {
    settled.abort()
  }
}

/** Imports the keys of a vault once. */
function rememberRecipients(keys: RecipientKeys): (vault: string) => Promise<readonly Recipient[]> {
  const imported = new Map<string, Promise<readonly Recipient[]>>()
  return (vault) => {
    const found = imported.get(vault) ?? importRecipients(recipientsOf(vault, keys))
    imported.set(vault, found)
    return found
  }
}
