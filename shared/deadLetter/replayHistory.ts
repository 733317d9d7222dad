import type { StoreCatalog } from "../store/storeCatalog.ts"
import { batchesOf, type JournalBatch } from "./journalBatches.ts"
import { journalPrefix } from "./journalRecord.ts"

/** What was done of one plan, by however many runs. */
export interface HistoryRow {
  readonly plan: string
  readonly runs: readonly string[]
  readonly firstAt: Date
  readonly lastAt: Date
  readonly batches: number
  readonly send: number
  readonly remove: number
  readonly quarantine: number
  /** Batches without a `completed`: the next run ends them. */
  readonly open: number
}

/**
 * What was ever done, by plan, the latest last. Reads names and metadata only; safe to repeat.
 *
 * @throws ServiceError as StoreCatalog does.
 */
export async function readHistory(catalog: StoreCatalog): Promise<readonly HistoryRow[]> {
  const rows = new Map<string, HistoryRow>()
  for await (const batch of batchesOf(catalog, journalPrefix)) {
    rows.set(batch.plan, addBatch(rows.get(batch.plan), batch))
  }
  return [...rows.values()].sort((a, b) => a.lastAt.getTime() - b.lastAt.getTime())
}

function addBatch(row: HistoryRow | undefined, { plan, phases }: JournalBatch): HistoryRow {
  // The last phase that was reached tells what was really done.
  const best = ["completed", "sent", "intent"]
    .map((phase) => phases.find((listed) => listed.phase === phase))
    .find((listed) => listed !== undefined)
  const count = (name: string) => Number(best?.blob.metadata[name] ?? 0) || 0
  const times = phases.map(({ blob }) => blob.createdAt.getTime())
  const firstMs = Math.min(row?.firstAt.getTime() ?? Infinity, ...times)
  const lastMs = Math.max(row?.lastAt.getTime() ?? 0, ...times)
  const isOpen = !phases.some(({ phase }) => phase === "completed")
  return {
    plan,
    runs: [...new Set([...(row?.runs ?? []), ...phases.map(({ run }) => run)])].sort(),
    firstAt: new Date(firstMs),
    lastAt: new Date(lastMs),
    batches: (row?.batches ?? 0) + 1,
    send: (row?.send ?? 0) + count("send"),
    remove: (row?.remove ?? 0) + count("remove"),
    quarantine: (row?.quarantine ?? 0) + count("quarantine"),
    open: (row?.open ?? 0) + (isOpen ? 1 : 0),
  }
}
