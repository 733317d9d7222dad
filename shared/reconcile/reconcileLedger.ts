import type { BackupStore } from "../store/backupStore.ts"
import { reconcilePrefixOfVault } from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import {
  formatReconcileBlob,
  formatReconcileName,
  parseReconcileBlob,
  parseReconcileName,
  type ReconcileName,
  type ReconcileRecord,
} from "./reconcileRecord.ts"

/** The right to add, list, and read below `reconcile/`. */
export interface ReconcileStore {
  readonly add: Pick<BackupStore, "putIfAbsent">
  readonly catalog: StoreCatalog
  readonly reader: StoreReader
}

/** What reconciliation remembers: write-once blobs, by which a run that was cut off is taken up. */
export interface ReconcileLedger {
  /**
   * Writes one page, or the summary, of a run; resolves when it is stored. Safe to repeat.
   *
   * @throws ServiceError as BackupStore does.
   */
  write(page: ReconcileName["page"], record: Omit<ReconcileRecord, "format">): Promise<void>
  /**
   * The last page of the run over the vault at `host` (`host[:port]`) that wrote last, when that run has no summary and
   * the page is not older than `since`.
   *
   * @throws ServiceError as StoreCatalog and StoreReader do; ERR_FORMAT_NEWER.
   */
  readUnfinished(host: string, since: Date): Promise<ReconcileRecord | undefined>
}

/** The memory in the store. */
export function createReconcileLedger({ add, catalog, reader }: ReconcileStore): ReconcileLedger {
  return {
    write: async (page, record) => {
      const { body, metadata } = formatReconcileBlob(record)
      const name = formatReconcileName(new URL(record.vault).host, { run: record.run, page })
      await add.putIfAbsent(name, body, "application/json", metadata)
    },
    readUnfinished: async (host, since) => {
      const newest = await findNewestRun(catalog, host)
      if (!newest || newest.page === "summary") return undefined
      const record = parseReconcileBlob(newest.blob, await reader.read(newest.blob))
      return new Date(record.at) < since ? undefined : record
    },
  }
}

interface ListedRun {
  readonly run: string
  readonly page: ReconcileName["page"]
  /** Its last page. */
  readonly blob: string
  readonly writtenAt: string
}

/** The run that wrote last, of those whose place no other run took. Memory: a line a run. */
async function findNewestRun(catalog: StoreCatalog, host: string): Promise<ListedRun | undefined> {
  const runs = new Map<string, ListedRun>()
  const replaced = new Set<string>()
  for await (const { name, metadata } of catalog.list(reconcilePrefixOfVault(host))) {
    const parsed = parseReconcileName(name)
    if (!parsed) continue
    runs.set(parsed.run, { ...parsed, blob: name, writtenAt: metadata["putat"] ?? "" })
    if (metadata["continues"] !== undefined) replaced.add(metadata["continues"])
  }
  let newest: ListedRun | undefined
  for (const listed of runs.values()) {
    if (replaced.has(listed.run)) continue
    if (!newest || listed.writtenAt >= newest.writtenAt) newest = listed
  }
  return newest
}
