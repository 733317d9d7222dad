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
   * the store got the page not before `since`. A page that is not what its name says, or that is dated after the store
   * got it, is nobody's: then the run begins anew.
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
      // By the service's clock: what a page says of itself may be anything.
      if (newest.createdAt < since || newest.sizeBytes > mostBytes) return undefined
      const record = parseReconcileBlob(newest.blob, await reader.read(newest.blob))
      const isItself = record.run === newest.run && new URL(record.vault).host === host
      const isAhead = Date.parse(record.at) > newest.createdAt.getTime() + skewMs
      return isItself && !isAhead ? record : undefined
    },
  }
}

interface ListedRun {
  readonly run: string
  readonly page: ReconcileName["page"]
  /** Its last page. */
  readonly blob: string
  readonly createdAt: Date
  readonly sizeBytes: number
  readonly writtenAt: string
}

/** Within one second of the service's clock the writer's own time decides. */
function isLater(one: ListedRun, other: ListedRun): boolean {
  const aheadMs = one.createdAt.getTime() - other.createdAt.getTime()
  return aheadMs === 0 ? one.writtenAt >= other.writtenAt : aheadMs > 0
}

/** So far clocks may be apart, and the service cuts its times to seconds. */
const skewMs = 5 * 60_000

/** More than any page has: 1 MiB. */
const mostBytes = 2 ** 20

/** The run that wrote last, of those whose place no other run took. Memory: a line a run. */
async function findNewestRun(catalog: StoreCatalog, host: string): Promise<ListedRun | undefined> {
  const runs = new Map<string, ListedRun>()
  const replaced = new Set<string>()
  for await (const { name, metadata, createdAt, sizeBytes } of catalog.list(reconcilePrefixOfVault(host))) {
    const parsed = parseReconcileName(name)
    if (!parsed) continue
    runs.set(parsed.run, { ...parsed, blob: name, createdAt, sizeBytes, writtenAt: metadata["putat"] ?? "" })
    if (metadata["continues"] !== undefined) replaced.add(metadata["continues"])
  }
  let newest: ListedRun | undefined
  for (const listed of runs.values()) {
    if (replaced.has(listed.run)) continue
    if (!newest || isLater(listed, newest)) newest = listed
  }
  return newest
}
