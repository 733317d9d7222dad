import { InvocationContext } from "@azure/functions"
import { createBackupVersionHandler } from "../../functions/backupVersion.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { createMemoryChangeQueue } from "../../shared/queue/memoryChangeQueue.ts"
import type { Recipient } from "../../shared/record/recipients.ts"
import type { BackupStore } from "../../shared/store/backupStore.ts"
import type { Telemetry } from "../../shared/telemetry/telemetry.ts"
import type { VaultReader } from "../../shared/vault/vaultReader.ts"
import { capturingLog } from "./capturingLog.ts"
import { fakeClock } from "./fakeClock.ts"
import { silentTelemetry } from "./memoryTelemetry.ts"

export interface HandlerParts {
  /** On the allow-list. */
  readonly vaults: readonly string[]
  readonly vault: VaultReader
  readonly store: BackupStore
  readonly recipients: readonly Recipient[]
  readonly clock?: ReturnType<typeof fakeClock>
  readonly telemetry?: Telemetry
}

/** The worker's real handler over the given vault and store, with queues in memory. */
export function aHandler({
  vaults,
  vault,
  store,
  recipients,
  clock = fakeClock(),
  telemetry = silentTelemetry(),
}: HandlerParts) {
  const changes = createMemoryChangeQueue()
  const quarantine = createMemoryChangeQueue()
  const log = capturingLog()
  const handler = createBackupVersionHandler(() => ({
    allowList: createAllowList(vaults),
    backup: { vault, store, recipientsOf: async () => recipients, clock, exclude: [] },
    changes,
    quarantine,
    retry: { firstDelayMs: 15_000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 },
    clock,
    log,
    telemetry,
  }))
  return {
    changes,
    quarantine,
    log,
    /** Delivers one message; resolves when it is settled as completed. */
    deliver: async (
      body: unknown,
      applicationProperties: Readonly<Record<string, string>> = {},
      traceParent?: string,
    ) => {
      const context = new InvocationContext({
        triggerMetadata: { messageId: "m", applicationProperties },
        ...(traceParent === undefined ? {} : { traceContext: { traceParent } }),
      })
      await handler(body, context)
    },
    /** What was reported of each item, in order. */
    outcomes: () =>
      log
        .entries()
        .filter(({ event }) => event === "backup.outcome")
        .map(({ outcome, code, reason }) => ({
          outcome,
          ...(code ? { code } : {}),
          ...(reason ? { reason } : {}),
        })),
  }
}
