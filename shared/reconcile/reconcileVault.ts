import type { Clock } from "../clock.ts"
import { type ServiceError, toServiceError } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { VaultPager } from "../vault/vaultPager.ts"
import type { Budget } from "./budget.ts"
import { closeGaps, confirmGaps, type GapWriters } from "./closeGaps.ts"
import type { Gap } from "./gap.ts"
import { type KindsByName, listKindsByName } from "./heldVersions.ts"
import type { ReconcileLedger } from "./reconcileLedger.ts"
import { noCounts, type ReconcileCounts, type ReconcileRecord } from "./reconcileRecord.ts"
import { scanVault, type ScanPosition, type ScanStep, type UntoldName } from "./scanVault.ts"

/** What a run writes with. Without it nothing is written anywhere. */
export interface ReconcileWriters extends GapWriters {
  readonly ledger: ReconcileLedger
  readonly run: string
  /** Goes on with a run that was cut off, and begins none. */
  readonly onlyUnfinished?: boolean
  /** Versions compared between two pages of the ledger. Default 5,000. */
  readonly pageVersions?: number
  /** Gaps found between two pages of the ledger. Default 500. */
  readonly pageGaps?: number
}

export interface ReconcileVaultOptions {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly pager: VaultPager
  readonly catalog: StoreCatalog
  readonly exclude: readonly string[]
  readonly clock: Clock
  /** A version younger than this may still be on its way; it is waited for. In milliseconds. */
  readonly graceMs: number
  readonly budget: Budget
  readonly execute?: ReconcileWriters
  readonly signal?: AbortSignal
  readonly onGap?: (gap: Gap) => void
  readonly onProgress?: (versions: number) => void
}

/**
 * Why a run proves nothing. `empty`: the vault listed no secret, and nobody proved that it has none. `untold`: some names
 * could not be listed.
 */
export type Incompleteness =
  | { readonly reason: "empty" | "untold" | "budget" | "interrupted" }
  | { readonly reason: "error"; readonly error: ServiceError }

/** What a run over one vault found and did. Counts are also of the runs that it goes on from. */
export interface VaultReconciliation {
  readonly vault: string
  readonly startedAt: Date
  readonly endedAt: Date
  /** Absent: every version that the vault listed was compared. */
  readonly incomplete?: Incompleteness
  readonly counts: ReconcileCounts
  readonly untold: readonly UntoldName[]
  readonly run?: string
  readonly continues?: string
}

/** A run that was cut off is taken up for so long; then it is begun anew. */
const takenUpForMs = 48 * 3_600_000
const maxUntold = 100

interface Progress {
  readonly startedAt: Date
  readonly continues?: string
  counts: ReconcileCounts
  untold: readonly UntoldName[]
  through?: ScanPosition
  page: number
}

/**
 * Compares one vault with the store. With `execute`, sends a change of each gap that a backup would close, writes the gap
 * records that are missing, and remembers how far it is: the next run goes on there. What was sent is sent again when a
 * run is killed between sending and remembering; the store makes repetitions one.
 *
 * Never throws but for a bug: what stops it is told in `incomplete`.
 *
 * @returns `undefined` when there is no unfinished run and none is to be begun.
 */
export async function reconcileVault(
  options: ReconcileVaultOptions,
): Promise<VaultReconciliation | undefined> {
  const { vault, clock, execute, budget, signal } = options
  const began = clock.now()
  let progress: Progress = { startedAt: began, counts: noCounts(), untold: [], page: 0 }
  let incomplete: Incompleteness | undefined
  try {
    const unfinished = await execute?.ledger.readUnfinished(
      new URL(vault).host,
      new Date(began.getTime() - takenUpForMs),
    )
    if (!unfinished && execute?.onlyUnfinished) return undefined
    if (unfinished) progress = takeUp(unfinished)
    const names = await listKindsByName(vault, options.pager)
    if (![...names.values()].some((kinds) => kinds.has("secret"))) incomplete = { reason: "empty" }
    else incomplete = await scan(names, progress, began, options)
    if (!incomplete) {
      if (progress.untold.length > 0) incomplete = { reason: "untold" }
      await execute?.ledger.write(
        "summary",
        recordOf(progress, incomplete ? "incomplete" : "complete", options),
      )
    }
  } catch (error) {
    if (signal?.aborted) incomplete = { reason: "interrupted" }
    else if (budget.isSpent()) incomplete = { reason: "budget" }
    else incomplete = { reason: "error", error: toServiceError(error) }
  }
  const { startedAt, continues, counts, untold } = progress
  if (incomplete?.reason === "budget" && progress.page === 0) await rememberBeginning(progress, options)
  return {
    vault,
    startedAt,
    endedAt: clock.now(),
    counts,
    untold,
    ...(incomplete ? { incomplete } : {}),
    ...(execute ? { run: execute.run } : {}),
    ...(continues === undefined ? {} : { continues }),
  }
}

/** Without a page the next hourly run, which has all of the time, would not know that there is something to go on with. */
async function rememberBeginning(progress: Progress, options: ReconcileVaultOptions): Promise<void> {
  try {
    await options.execute?.ledger.write(1, recordOf(progress, "running", options))
  } catch {
    // The run is incomplete already, and is told so.
  }
}

function takeUp({ startedAt, run, counts, untold, through }: ReconcileRecord): Progress {
  return {
    startedAt: new Date(startedAt),
    continues: run,
    counts,
    untold: untold as UntoldName[],
    page: 0,
    ...(through ? { through } : {}),
  }
}

/** Works through the vault page by page. What was found before something stops it is still sent and remembered. */
async function scan(
  names: KindsByName,
  progress: Progress,
  began: Date,
  options: ReconcileVaultOptions,
): Promise<Incompleteness | undefined> {
  const { vault, pager, catalog, exclude, execute, budget, signal, onProgress } = options
  const { pageVersions = 5000, pageGaps = 500 } = execute ?? {}
  const steps: ScanStep[] = []
  const finishPage = async () => {
    if (steps.length > 0) await handlePage(steps.splice(0), progress, began, options)
  }
  const after = progress.through
  const scanned = scanVault({
    vault,
    names,
    pager,
    catalog,
    exclude,
    ...(after ? { after } : {}),
    ...(signal ? { signal } : {}),
  })
  let isCut = false
  try {
    let seen = progress.counts.versions
    for await (const step of scanned) {
      steps.push(step)
      seen += step.versions
      onProgress?.(seen)
      const isFull =
        sum(steps, ({ versions }) => versions) >= pageVersions ||
        sum(steps, ({ gaps }) => gaps.length) >= pageGaps
      if (isFull) await finishPage()
      isCut = signal?.aborted === true || budget.isSpent()
      if (isCut) break
    }
  } catch (error) {
    await finishPage()
    throw error
  }
  await finishPage()
  if (!isCut) return undefined
  return { reason: signal?.aborted ? "interrupted" : "budget" }
}

async function handlePage(
  steps: readonly ScanStep[],
  progress: Progress,
  began: Date,
  options: ReconcileVaultOptions,
): Promise<void> {
  const { execute, onGap } = options
  const found = steps.flatMap(({ gaps }) => gaps)
  const gaps = await confirmGaps(found, began, options)
  const done = execute ? await closeGaps(gaps, execute, options) : { sent: 0, recorded: 0 }
  const counts = structuredClone(progress.counts)
  for (const { versions, stored, excluded } of steps) {
    counts.versions += versions
    counts.stored += stored
    counts.excluded += excluded
  }
  counts.stored += found.length - gaps.length
  for (const gap of gaps) {
    counts.gaps[gap.cause] += 1
    onGap?.(gap)
  }
  counts.sent += done.sent
  counts.recorded += done.recorded
  progress.counts = counts
  progress.untold = [...progress.untold, ...steps.flatMap(({ untold }) => untold ?? [])].slice(0, maxUntold)
  const through = steps.at(-1)?.through
  if (through) progress.through = through
  if (!execute) return
  progress.page += 1
  await execute.ledger.write(progress.page, recordOf(progress, "running", options))
}

function recordOf(
  { startedAt, continues, counts, untold, through }: Progress,
  state: ReconcileRecord["state"],
  { vault, clock, execute }: ReconcileVaultOptions,
): Omit<ReconcileRecord, "format"> {
  return {
    run: execute?.run ?? "",
    vault,
    state,
    startedAt: startedAt.toISOString(),
    at: clock.now().toISOString(),
    ...(continues === undefined ? {} : { continues }),
    ...(through && state === "running" ? { through } : {}),
    counts,
    untold: [...untold],
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
