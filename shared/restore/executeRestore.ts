import type { Clock } from "../clock.ts"
import { type ErrorCode, ServiceError, toServiceError } from "../errors.ts"
import { inParallel } from "./inParallel.ts"
import { openRecord, type RecordSource } from "./openRecord.ts"
import type { PlannedItem } from "./planRestore.ts"
import { retryPassing } from "./retryPassing.ts"
import type { Restored, RestoreNote, RestoreTarget } from "./restoreTarget.ts"

/** What became of one planned item. */
export type RestoreResult =
  | ({ readonly result: "restored" } & Restored)
  | { readonly result: "alreadyThere"; readonly where: string; readonly notes: readonly RestoreNote[] }
  /** Nothing was written: a record that must not be used, or a place that is taken. */
  | { readonly result: "blocked"; readonly error: ServiceError; readonly notes: readonly RestoreNote[] }
  /** It was tried, and something may have been written. */
  | { readonly result: "failed"; readonly error: ServiceError; readonly notes: readonly RestoreNote[] }
  /** Its turn did not come before the interruption. */
  | { readonly result: "notDone"; readonly notes: readonly RestoreNote[] }

export type RestoredItem = PlannedItem & { readonly outcome: RestoreResult }

export interface ExecuteRestoreOptions {
  readonly source: RecordSource
  readonly target: RestoreTarget
  readonly clock: Clock
  /** Items written at once. */
  readonly concurrency: number
  /** Stops between two items; what has begun is finished. */
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Does what a plan says. Each record is opened and its place looked at again just before it is written, so repeating
 * after a crash at any point writes nothing twice that a look can see: what is there already has the same contents. The
 * same holds for a write whose answer did not come. A write that takes effect only after the next look, and two runs at
 * the same time, make a second version of the same contents.
 *
 * Never throws for what befalls one item: the others go on.
 */
export async function executeRestore(
  plan: readonly PlannedItem[],
  options: ExecuteRestoreOptions,
): Promise<RestoredItem[]> {
  const { signal, onProgress = () => {}, concurrency } = options
  let done = 0
  const work = plan.map((item) => async (): Promise<RestoredItem> => {
    const outcome: RestoreResult = signal?.aborted
      ? { result: "notDone", notes: item.notes }
      : await restoreItem(item, options)
    onProgress(++done, plan.length)
    return { ...item, outcome }
  })
  return inParallel(work, concurrency)
}

async function restoreItem(item: PlannedItem, options: ExecuteRestoreOptions): Promise<RestoreResult> {
  const { notes } = item
  if (item.action === "blocked") return { result: "blocked", error: item.error, notes }
  if (item.action === "alreadyThere") return { result: "alreadyThere", where: item.where, notes }
  const progress = { hasTried: false }
  try {
    return await retryPassing(() => tryItem(item, progress, options), options.clock, options)
  } catch (thrown) {
    const error = toServiceError(thrown)
    return { result: progress.hasTried && !isRefusal(error.code) ? "failed" : "blocked", error, notes }
  }
}

/** After a write that was not answered, the contents that are there are the ones it wrote. */
async function tryItem(
  item: PlannedItem,
  progress: { hasTried: boolean },
  { source, target }: ExecuteRestoreOptions,
): Promise<RestoreResult> {
  const { name, notes } = item
  const record = await openRecord(item.selected, source)
  const found = await target.look(record, name)
  switch (found.state) {
    case "blocked":
      return { result: progress.hasTried ? "failed" : "blocked", error: found.error, notes }
    case "same": {
      const { where } = found
      if (!progress.hasTried) return { result: "alreadyThere", where, notes: [...notes, ...found.notes] }
      for (const note of found.notes) {
        if (note.note !== "attributesDiffer") continue
        const what = `The new version differs in: ${note.attributes.join(", ")}`
        throw new ServiceError("ERR_RESTORE_DIFFERS", what, { details: { object: where } })
      }
      return { result: "restored", where, isCompared: record.attributes.enabled, notes }
    }
    case "free": {
      progress.hasTried = true
      const restored = await target.write(record, name)
      return { result: "restored", ...restored, notes: [...notes, ...restored.notes] }
    }
  }
}

/** The target's answer to a write that made nothing. */
function isRefusal(code: ErrorCode): boolean {
  return code === "ERR_RESTORE_TARGET_EXISTS" || code === "ERR_RESTORE_TARGET_DELETED"
}
