import type { Clock } from "../clock.ts"
import type { CopySender } from "../deadLetter/copySender.ts"
import { createProtectedVersions } from "../deadLetter/protectedVersions.ts"
import type { RateCap } from "../deadLetter/rateCap.ts"
import type { BackupStore } from "../store/backupStore.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { Gap } from "./gap.ts"
import { messageOfGap, recordOfGap } from "./gapChange.ts"

/** What gaps are closed with. */
export interface GapWriters {
  readonly sender: CopySender
  readonly store: Pick<BackupStore, "putIfAbsent">
  readonly rate: RateCap
  /** Fresh each time. */
  readonly newMessageId: () => string
}

export interface ConfirmGapsOptions {
  readonly catalog: StoreCatalog
  readonly clock: Clock
  /** A version younger than this may still be on its way. In milliseconds. */
  readonly graceMs: number
  readonly signal?: AbortSignal
}

/**
 * The gaps that are still there. The store's listing is read ahead, so whatever it had not is looked for once more; what
 * is so young that its backup may be under way, when its time is over.
 *
 * @param began - when the run over the store's listing began.
 * @throws ServiceError as StoreCatalog does.
 */
export async function confirmGaps(
  gaps: readonly Gap[],
  began: Date,
  { catalog, clock, graceMs, signal }: ConfirmGapsOptions,
): Promise<readonly Gap[]> {
  const from = began.getTime() - graceMs
  const missing = gaps.filter(({ cause }) => cause === "missing")
  if (missing.length === 0) return gaps
  const newest = missing.reduce((most, { created }) => Math.max(most, created?.getTime() ?? 0), 0)
  const waitMs = newest > from ? Math.min(newest + graceMs - clock.now().getTime(), graceMs) : 0
  const abort = signal ? { signal } : {}
  if (waitMs > 0) await clock.sleep(waitMs, abort)
  const isStored = await createProtectedVersions(catalog).look(
    missing.map(({ object }) => object),
    abort,
  )
  const arrived = new Set(missing.filter(({ object }) => isStored(object)))
  return gaps.filter((gap) => !arrived.has(gap))
}

/**
 * Sends changes, as fast as `rate` allows, and writes gap records. Safe to repeat: the store makes repetitions one.
 *
 * @throws ServiceError as CopySender and BackupStore do; then some may have been sent.
 */
export async function closeGaps(
  gaps: readonly Gap[],
  { sender, store, rate, newMessageId }: GapWriters,
  { clock, signal }: Pick<ConfirmGapsOptions, "clock" | "signal">,
): Promise<{ readonly sent: number; readonly recorded: number }> {
  const abort = signal ? { signal } : {}
  const toSend = gaps.filter(({ action }) => action === "send")
  for (let from = 0; from < toSend.length; from += rate.batchSize) {
    const some = toSend.slice(from, from + rate.batchSize)
    await rate.wait(some.length, abort)
    await sender.send(
      some.map((gap) => messageOfGap(gap, newMessageId())),
      abort,
    )
  }
  let recorded = 0
  for (const gap of gaps) {
    if (gap.action !== "record") continue
    const { name, body, metadata } = recordOfGap(gap, clock.now())
    const outcome = await store.putIfAbsent(name, body, "application/json", metadata, abort)
    if (outcome === "stored") recorded += 1
  }
  return { sent: toSend.length, recorded }
}
