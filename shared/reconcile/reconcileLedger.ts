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
   * The last page of the newest run over the vault at `host` (`host[:port]`), when that run has no summary and the page
   * is not older than `since`.
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
      let last: { readonly name: string; readonly page: ReconcileName["page"] } | undefined
      for await (const { name } of catalog.list(reconcilePrefixOfVault(host))) {
        const parsed = parseReconcileName(name)
        if (parsed) last = { name, page: parsed.page }
      }
      if (!last || last.page === "summary") return undefined
      const record = parseReconcileBlob(last.name, await reader.read(last.name))
      return new Date(record.at) < since ? undefined : record
    },
  }
}
