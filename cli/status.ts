import { type ProtectionStatus, readProtectionStatus } from "../shared/audit/protectionStatus.ts"
import type { CauseStatus } from "../shared/audit/causes.ts"
import { createAllowList } from "../shared/change/allowList.ts"
import { systemClock } from "../shared/clock.ts"
import { createAzureQueueInspector } from "../shared/queue/azureQueueInspector.ts"
import { createServiceBusClient } from "../shared/queue/azureServiceBusClient.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { exitAttention, exitDone, exitUnknown } from "./exitCodes.ts"

/**
 * `kvbackup status`: what is protected since when, and what is not.
 *
 * @returns 0; 30 when a gap, a dead letter or a quarantined message needs attention; 31 when a queue has more messages
 * than were looked at.
 * @throws ServiceError when the answer cannot be completed; the caller turns that into exit code 31.
 */
export async function runStatus(options: GlobalOptions, streams: CommandStreams): Promise<number> {
  const { settings, credential, httpClient } = openContext(
    "audit",
    ["BACKUP_VAULTS", "BACKUP_STORE_URL", "BackupServiceBus__fullyQualifiedNamespace"],
    options,
    streams,
  )
  const serviceBus = createServiceBusClient({
    fullyQualifiedNamespace: settings.BackupServiceBus__fullyQualifiedNamespace,
    credential,
  })
  try {
    const status = await readProtectionStatus({
      vaults: settings.BACKUP_VAULTS,
      store: createAzureStoreCatalog({
        url: settings.BACKUP_STORE_URL,
        container: settings.BACKUP_STORE_CONTAINER,
        credential,
        httpClient,
      }),
      queues: createAzureQueueInspector(serviceBus),
      queue: settings.BACKUP_QUEUE,
      quarantineQueue: settings.BACKUP_QUARANTINE_QUEUE,
      allowList: createAllowList(settings.BACKUP_VAULTS),
      now: systemClock.now(),
    })
    const code = exitCodeOf(status)
    streams.out(
      options.json
        ? `${JSON.stringify({ format: "kvbackup-status/1", exitCode: code, ...status })}\n`
        : formatStatus(status),
    )
    return code
  } finally {
    await serviceBus.close()
    await httpClient.close()
  }
}

/** 31 when not every message was seen; 30 when something needs attention; else 0. */
export function exitCodeOf({ vaults, queues }: ProtectionStatus): number {
  if (!queues.complete) return exitUnknown
  const hasGap = vaults.some(({ openGaps, publicOnly }) => openGaps.length + publicOnly.length > 0)
  return queues.deadLettered > 0 || queues.quarantined > 0 || hasGap ? exitAttention : exitDone
}

/** The status for people, one screen. */
export function formatStatus({ at, vaults, queues }: ProtectionStatus): string {
  const lines: string[] = []
  for (const vault of vaults) {
    const isNow = vault.protectedUpTo.getTime() === at.getTime()
    lines.push(
      `Vault ${vault.vault}`,
      `  protected up to  ${isNow ? `now (${at.toISOString()})` : vault.protectedUpTo.toISOString()}`,
      `  versions stored  ${vault.records}${
        vault.firstPutAt && vault.lastPutAt
          ? `, first ${vault.firstPutAt.toISOString()}, last ${vault.lastPutAt.toISOString()}`
          : ""
      }`,
    )
    for (const gap of vault.openGaps) {
      lines.push(
        `  NOT PROTECTED    ${gap.id} (${gap.reason}${gap.since ? ` since ${gap.since.toISOString()}` : ""})`,
      )
    }
    for (const id of vault.publicOnly)
      lines.push(`  PUBLIC PART ONLY ${id} (its policy keeps the private key in the vault)`)
  }
  const more = queues.complete ? "" : " (more than these: only the first 10,000 of a queue are looked at)"
  lines.push(
    `Queues`,
    `  waiting          ${queues.waiting}`,
    `  deferred         ${queues.deferred}`,
    ...queues.deferredBy.map(formatCause),
    `  dead letters     ${queues.deadLettered}`,
    ...queues.deadLetteredBy.map(formatCause),
    `  quarantine       ${queues.quarantined}${more}`,
    ...queues.quarantinedBy.map(formatCause),
  )
  return `${lines.join("\n")}\n`
}

function formatCause({ cause, count, oldest, next }: CauseStatus): string {
  const times = [
    ...(oldest ? [`oldest ${oldest.toISOString()}`] : []),
    ...(next ? [`next try ${next.toISOString()}`] : []),
  ]
  return `    ${count} x ${cause}${times.length > 0 ? `, ${times.join(", ")}` : ""}`
}
