import type { Clock } from "../clock.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError, type ErrorCode } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { leavesCloud } from "./cloudOf.ts"
import { inParallel } from "./inParallel.ts"
import { openRecord, type RecordSource } from "./openRecord.ts"
import { retryPassing } from "./retryPassing.ts"
import type { RestoreNote, RestoreTarget } from "./restoreTarget.ts"
import { type RestoreSelection, type SelectedRecord, selectRecords } from "./selectRecords.ts"

/** What would be done with one object. */
export type PlannedItem = {
  /** URL of the version that would be restored. */
  readonly id: string
  /** Name in the target. */
  readonly name: string
  readonly selected: SelectedRecord
  readonly notes: readonly RestoreNote[]
} & (
  | { readonly action: "write" }
  | { readonly action: "alreadyThere"; readonly where: string }
  | { readonly action: "blocked"; readonly error: ServiceError }
)

export interface PlanRestoreOptions {
  readonly selection: RestoreSelection
  readonly catalog: StoreCatalog
  readonly source: RecordSource
  readonly target: RestoreTarget
  /** Another name in the target; only where one object is selected. */
  readonly as?: string
  /** May contents leave the cloud of the vault that they come from? */
  readonly allowsOtherCloud: boolean
  readonly clock: Clock
  /** Records opened at once. */
  readonly concurrency: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/** What is wrong with one record, or stands in its place, and leaves the others as they are. */
const ofOneRecord: ReadonlySet<ErrorCode> = new Set([
  "ERR_SEAL_INTEGRITY",
  "ERR_SEAL_NO_KEY",
  "ERR_STORE_CONFLICT",
  "ERR_FORMAT_NEWER",
  "ERR_VAULT_RESPONSE_INVALID",
] satisfies ErrorCode[])

/**
 * Says what a restore would do: opens every selected record, and looks at what stands in its place in the target. So what
 * it says can be done, as far as reading tells. Writes nothing; safe to repeat.
 *
 * @throws ServiceError ERR_STORE_NOT_FOUND when there is no record to restore; what the store, the keys' vault or the
 * target throw when it cannot be told, since a plan with holes is none.
 */
export async function planRestore(options: PlanRestoreOptions): Promise<PlannedItem[]> {
  const { selection, catalog, signal, onProgress = () => {} } = options
  const selected = await selectRecords(catalog, selection, signal ? { signal } : {})
  let done = 0
  const work = selected.map((record) => async () => {
    signal?.throwIfAborted()
    const item = await retryPassing(() => planItem(record, options), options.clock, options)
    onProgress(++done, selected.length)
    return item
  })
  return inParallel(work, options.concurrency)
}

async function planItem(selected: SelectedRecord, options: PlanRestoreOptions): Promise<PlannedItem> {
  const { source, target, as, allowsOtherCloud, signal } = options
  const { object } = selected
  const base = { id: formatVersionUrl(object), name: as ?? object.name, selected }
  const newer = selected.newerGaps.map((gap) => ({ note: "newerWithoutRecord" as const, ...gap }))
  if (selected.onlyGap !== undefined) {
    const what = `The store has no record of it: its gap record says ${selected.onlyGap}`
    const error = new ServiceError("ERR_STORE_NOT_FOUND", what, { details: { blob: selected.blob } })
    return { ...base, notes: newer, action: "blocked", error }
  }
  const { place } = target
  if (!allowsOtherCloud && "host" in place && leavesCloud(object.host, place.host)) {
    const what = "The vault of the record is in another cloud than the target"
    const details = { from: object.host, to: place.host }
    const error = new ServiceError("ERR_RESTORE_OTHER_CLOUD", what, { details })
    return { ...base, notes: newer, action: "blocked", error }
  }
  try {
    const record = await openRecord(selected, source)
    const found = await target.look(record, base.name, signal ? { signal } : {})
    const notes = [...found.notes, ...newer]
    switch (found.state) {
      case "free":
        return { ...base, notes, action: "write" }
      case "same":
        return { ...base, notes, action: "alreadyThere", where: found.where }
      case "blocked":
        return { ...base, notes, action: "blocked", error: found.error }
    }
  } catch (error) {
    if (!(error instanceof ServiceError) || !ofOneRecord.has(error.code)) throw error
    return { ...base, notes: newer, action: "blocked", error }
  }
}
