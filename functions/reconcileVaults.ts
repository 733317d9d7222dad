import { randomUUID } from "node:crypto"
import type { TimerHandler } from "@azure/functions"
import type { ServiceError } from "../shared/errors.ts"
import { errorFields, type Log, type LogFields } from "../shared/log.ts"
import { countGaps } from "../shared/reconcile/reconcileRecord.ts"
import type { VaultReconciliation } from "../shared/reconcile/reconcileVault.ts"
import { type ReconcileParts, runReconcile } from "../shared/reconcile/runReconcile.ts"

/** What the timers need. */
export interface ReconcileVaultsApp {
  readonly log: Log
  /** Opened by the first run. */
  readonly openReconcile: () => ReconcileParts & { readonly vaults: readonly string[] }
}

/** Once a day. */
export const reconcileSchedule = "0 20 2 * * *"

/** Once an hour, for what a run could not end in its time, or was cut off from. */
export const continueSchedule = "0 50 * * * *"

/** Below the function's own limit of ten minutes, so that a run ends by itself and remembers how far it is. */
const budgetMs = 480_000
/** A vault takes 192,000 calls in this time; live changes get the better part of them. */
const maxCalls = 40_000
/** So slowly that live changes hardly notice. */
const maxPerSecond = 50

/**
 * Compares each vault with the store and sends what is missing, or with `onlyUnfinished` goes on with what an earlier run
 * left. Writes one line a vault: `reconcile.done`, or `reconcile.incomplete` where nothing is proved.
 *
 * Fails, after the last vault, when an error kept it from an answer; a budget that was used up is none.
 */
export function createReconcileVaultsHandler(
  app: () => ReconcileVaultsApp,
  { onlyUnfinished = false }: { readonly onlyUnfinished?: boolean } = {},
): TimerHandler {
  return async () => {
    const { log, openReconcile } = app()
    let failure: ServiceError | undefined
    const { vaults, ...parts } = openReconcile()
    const results = runReconcile(parts, {
      vaults,
      execute: { maxPerSecond, newMessageId: randomUUID, onlyUnfinished },
      budget: { ms: budgetMs, maxCalls },
    })
    for await (const result of results) {
      report(result, log)
      if (result.incomplete?.reason === "error") failure ??= result.incomplete.error
    }
    if (failure) throw failure
  }
}

function report(result: VaultReconciliation, log: Log): void {
  const { incomplete } = result
  const fields = fieldsOf(result)
  if (!incomplete) {
    log[countGaps(result.counts) > 0 ? "warn" : "info"]("reconcile.done", fields)
  } else if (incomplete.reason === "error") {
    log.error("reconcile.incomplete", {
      ...errorFields(incomplete.error),
      ...fields,
      reason: incomplete.reason,
    })
  } else {
    log.warn("reconcile.incomplete", { ...fields, reason: incomplete.reason })
  }
}

function fieldsOf({ vault, run, continues, startedAt, counts, untold }: VaultReconciliation): LogFields {
  const { versions, stored, excluded, gaps, sent, recorded } = counts
  return {
    vault,
    run,
    continues,
    startedAt: startedAt.toISOString(),
    versions,
    stored,
    excluded,
    missing: gaps.missing,
    disabled: gaps.disabled,
    valueAbsent: gaps["value-absent"],
    gone: gaps.gone,
    lost: gaps.lost,
    sent,
    recorded,
    untold: untold.length,
  }
}
