import { randomBytes } from "node:crypto"
import type { Clock } from "../clock.ts"
import type { CopySender } from "../deadLetter/copySender.ts"
import { createRateCap } from "../deadLetter/rateCap.ts"
import type { BackupStore } from "../store/backupStore.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { VaultLimiter } from "../vault/vaultLimiter.ts"
import type { Pace, VaultPager } from "../vault/vaultPager.ts"
import { createBackgroundPace } from "../vault/vaultPace.ts"
import { type BudgetLimits, createBudget } from "./budget.ts"
import type { Gap } from "./gap.ts"
import type { ReconcileLedger } from "./reconcileLedger.ts"
import { reconcileVault, type ReconcileWriters, type VaultReconciliation } from "./reconcileVault.ts"

/** Everything that reconciliation works with. */
export interface ReconcileParts {
  /** A pager whose calls go through `pace`. */
  readonly pagerOf: (pace: Pace) => VaultPager
  /** That of the worker where it runs in one, so that live changes go first. */
  readonly limiter: VaultLimiter
  readonly catalog: StoreCatalog
  readonly sender: CopySender
  readonly store: Pick<BackupStore, "putIfAbsent">
  readonly ledger: ReconcileLedger
  readonly exclude: readonly string[]
  readonly clock: Clock
}

export interface RunReconcileOptions {
  readonly vaults: readonly string[]
  /** Present: gaps are sent, and what is done is remembered. */
  readonly execute?: {
    readonly maxPerSecond: number
    readonly newMessageId: () => string
  } & Pick<ReconcileWriters, "onlyUnfinished" | "pageVersions" | "pageGaps">
  /** Of all vaults together; each gets an equal share of the time that is left. */
  readonly budget?: { readonly ms?: number; readonly maxCalls?: number }
  /** Default 5 s. */
  readonly graceMs?: number
  readonly signal?: AbortSignal
  readonly onGap?: (gap: Gap) => void
  readonly onProgress?: (versions: number) => void
}

const defaultGraceMs = 5000

/**
 * Compares vaults with the store, one after the other. See `reconcileVault`; one that fails does not keep the next from
 * its turn.
 */
export async function* runReconcile(
  parts: ReconcileParts,
  options: RunReconcileOptions,
): AsyncGenerator<VaultReconciliation> {
  const { pagerOf, limiter, catalog, exclude, clock } = parts
  const { vaults, execute, budget = {}, graceMs = defaultGraceMs, signal, onGap, onProgress } = options
  const endMs = budget.ms === undefined ? undefined : clock.now().getTime() + budget.ms
  for (const [index, vault] of vaults.entries()) {
    const limits: BudgetLimits = {
      ...(endMs === undefined ? {} : { until: shareOf(endMs, vaults.length - index, clock) }),
      ...(budget.maxCalls === undefined ? {} : { maxCalls: Math.ceil(budget.maxCalls / vaults.length) }),
    }
    const vaultBudget = createBudget(limits, clock)
    const reconciled = await reconcileVault({
      vault,
      pager: pagerOf(
        vaultBudget.limit(
          createBackgroundPace({ limiter, clock, ...(limits.until ? { until: limits.until } : {}) }),
        ),
      ),
      catalog,
      exclude,
      clock,
      graceMs,
      budget: vaultBudget,
      ...(execute ? { execute: writersOf(parts, execute) } : {}),
      ...(signal ? { signal } : {}),
      ...(onGap ? { onGap } : {}),
      ...(onProgress ? { onProgress } : {}),
    })
    if (reconciled) yield reconciled
    if (signal?.aborted) return
  }
}

function shareOf(endMs: number, vaultsLeft: number, clock: Clock): Date {
  const nowMs = clock.now().getTime()
  return new Date(nowMs + (endMs - nowMs) / vaultsLeft)
}

function writersOf(
  { sender, store, ledger, clock }: ReconcileParts,
  { maxPerSecond, ...rest }: NonNullable<RunReconcileOptions["execute"]>,
): ReconcileWriters {
  return { ...rest, sender, store, ledger, rate: createRateCap(maxPerSecond, clock), run: newRunId(clock) }
}

/** A name that sorts by time and that no other run has. */
function newRunId(clock: Clock): string {
  const time = clock
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "")
  return `${time}-${randomBytes(4).toString("hex")}`
}
