import type { StoreCatalog, StoredBlob } from "../store/storeCatalog.ts"
import { type JournalPhase, parseJournalName } from "./journalRecord.ts"

/** One blob of a batch, as the listing shows it. */
export interface ListedPhase {
  readonly phase: JournalPhase
  readonly run: string
  readonly blob: StoredBlob
}

/** A batch with all that was ever written of it. */
export interface JournalBatch {
  readonly plan: string
  readonly batch: number
  readonly phases: readonly ListedPhase[]
}

/**
 * The batches below `prefix`, in name order, one at a time: a listing in name order has all blobs of one batch together.
 * What is no journal blob is passed over.
 */
export async function* batchesOf(
  catalog: StoreCatalog,
  prefix: string,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<JournalBatch> {
  let current: { plan: string; batch: number; phases: ListedPhase[] } | undefined
  for await (const blob of catalog.list(prefix, options)) {
    const name = parseJournalName(blob.name)
    if (!name) continue
    const { plan, batch, phase, run } = name
    if (current && (current.plan !== plan || current.batch !== batch)) {
      yield current
      current = undefined
    }
    current ??= { plan, batch, phases: [] }
    current.phases.push({ phase, run, blob })
  }
  if (current) yield current
}
