import type { Clock } from "../clock.ts"
import type { BackupStore } from "../store/backupStore.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import {
  formatJournalBlob,
  formatJournalName,
  type JournalItem,
  type JournalName,
  journalPrefix,
  keyOfItem,
  parseJournalBlob,
} from "./journalRecord.ts"
import { batchesOf } from "./journalBatches.ts"
import { type JournalState, JournalStateBuilder, readBatch } from "./journalState.ts"

/** The journal's right to add, list, and read below `journal/`. */
export interface JournalStore {
  readonly add: Pick<BackupStore, "putIfAbsent">
  readonly catalog: StoreCatalog
  readonly reader: StoreReader
}

/** Append-only memory of what replay did: write-once blobs that survive any crash. */
export interface ReplayJournal {
  /**
   * Writes one phase of one batch; resolves when it is stored. Safe to repeat.
   *
   * @throws ServiceError as BackupStore does.
   */
  append(name: JournalName, items: readonly JournalItem[]): Promise<void>
  /** What earlier runs left open, and which entries of Event Grid's blobs are accounted for. */
  readState(options?: { readonly signal?: AbortSignal }): Promise<JournalState>
  /** The items of a plan that were sent or removed already, each once, and the next free batch number. */
  readPlan(plan: string): Promise<{ readonly done: readonly JournalItem[]; readonly nextBatch: number }>
}

const readsAtOnce = 16

/** The journal in the store. Throws as the store does; ERR_FORMAT_NEWER for a record of a newer release. */
export function createReplayJournal(store: JournalStore, clock: Clock): ReplayJournal {
  const read = async (blob: string) => parseJournalBlob(blob, await store.reader.read(blob))
  return {
    append: async (name, items) => {
      const { body, metadata } = formatJournalBlob(items, clock.now())
      await store.add.putIfAbsent(formatJournalName(name), body, "application/json", metadata)
    },
    readState: async (options) => {
      const builder = new JournalStateBuilder()
      const pending: Promise<void>[] = []
      for await (const batch of batchesOf(store.catalog, journalPrefix, options)) {
        pending.push(readBatch(batch, read, builder))
        if (pending.length >= readsAtOnce) await Promise.all(pending.splice(0))
      }
      await Promise.all(pending)
      return builder.build()
    },
    readPlan: async (plan) => {
      const done = new Map<string, JournalItem>()
      let nextBatch = 0
      for await (const { batch, phases } of batchesOf(store.catalog, `${journalPrefix}${plan}/`)) {
        nextBatch = batch + 1
        for (const { phase, blob } of phases) {
          if (phase === "intent") continue
          for (const item of await read(blob.name)) if (!item.isGone) done.set(keyOfItem(item), item)
        }
      }
      return { done: [...done.values()], nextBatch }
    },
  }
}
