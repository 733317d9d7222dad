import type { DeadLetter } from "./deadLetter.ts"
import type { JournalBatch } from "./journalBatches.ts"
import { type JournalItem, keyOfItem } from "./journalRecord.ts"

/** A batch that has no `completed`: the run that began it did not come to its end. */
export interface OpenBatch {
  readonly plan: string
  readonly batch: number
  /** Were its copies accepted? Then its letters are only to be removed. */
  readonly isSent: boolean
  readonly items: ReadonlyMap<string, JournalItem>
  /** Keys of letters that are not known to be gone. */
  readonly outstanding: Set<string>
}

/** What earlier runs left behind. */
export interface JournalState {
  readonly open: readonly OpenBatch[]
  /** The open batches with a letter of this key. */
  openWith(key: string): readonly OpenBatch[]
  /** Were the copies of this letter accepted by the queue, in a batch that is open? */
  wasSent(key: string): boolean
  /** Is nothing left to do with this entry of an Event Grid blob, which stays where it is? False for other letters. */
  isAccountedFor(letter: DeadLetter): boolean
  isBlobAccountedFor(blob: string): boolean
  /** Takes note of a batch whose copies were accepted while its letters were not confirmed to be gone. */
  keepOpen(batch: OpenBatch): void
  /** Takes note that a letter is gone. @returns the batches that have none left. */
  settle(key: string): readonly OpenBatch[]
}

interface AccountedBlob {
  readonly entries: number
  readonly ids: Set<string>
}

/** Reads the blobs that matter of one batch; the names alone tell which do. */
export async function readBatch(
  { plan, batch, phases }: JournalBatch,
  read: (blob: string) => Promise<readonly JournalItem[]>,
  builder: JournalStateBuilder,
): Promise<void> {
  const blobsOf = (phase: string) => phases.filter((listed) => listed.phase === phase).map(({ blob }) => blob)
  const accepted = blobsOf("sent")
  const isClosed = blobsOf("completed").length > 0
  const hasEvents = phases.some(({ blob }) => (blob.metadata["eventgrid"] ?? "0") !== "0")
  if (isClosed && !hasEvents) return
  const wanted = accepted.length > 0 ? accepted : blobsOf(isClosed ? "completed" : "intent")
  const items = (await Promise.all(wanted.map(({ name }) => read(name)))).flat()
  if (accepted.length > 0 || isClosed) builder.addAccounted(items)
  if (!isClosed) builder.addOpen({ plan, batch, isSent: accepted.length > 0, items })
}

/** Collects the state batch by batch, in any order. */
export class JournalStateBuilder {
  readonly #open: OpenBatch[] = []
  readonly #blobs = new Map<string, AccountedBlob>()

  addOpen(batch: Pick<OpenBatch, "plan" | "batch" | "isSent"> & { items: readonly JournalItem[] }): void {
    const items = new Map(batch.items.map((item) => [keyOfItem(item), item]))
    // An entry of a blob is accounted for once its copy was accepted: nothing has to be removed.
    const outstanding = new Set(
      [...items].filter(([, { source }]) => !batch.isSent || source !== "event-grid").map(([key]) => key),
    )
    this.#open.push({ ...batch, items, outstanding })
  }

  /** @param items - of which those of Event Grid count. */
  addAccounted(items: readonly JournalItem[]): void {
    for (const { source, id, entries = 1, isGone } of items) {
      if (source !== "event-grid" || isGone) continue
      const blob = blobOf(id)
      const known = this.#blobs.get(blob) ?? { entries, ids: new Set() }
      known.ids.add(id)
      this.#blobs.set(blob, known)
    }
  }

  build(): JournalState {
    const open = [...this.#open]
    const byKey = new Map<string, OpenBatch[]>()
    const index = (batch: OpenBatch) => {
      for (const key of batch.items.keys()) byKey.set(key, [...(byKey.get(key) ?? []), batch])
    }
    open.forEach(index)
    const openWith = (key: string) => byKey.get(key) ?? []
    return {
      open,
      openWith,
      wasSent: (key) => openWith(key).some(({ isSent }) => isSent),
      isAccountedFor: ({ source, id }) =>
        source === "event-grid" && this.#blobs.get(blobOf(id))?.ids.has(id) === true,
      isBlobAccountedFor: (name) => {
        const blob = this.#blobs.get(name)
        return blob !== undefined && blob.ids.size >= blob.entries
      },
      keepOpen: (batch) => {
        open.push(batch)
        index(batch)
      },
      settle: (key) =>
        openWith(key).filter(({ outstanding }) => outstanding.delete(key) && outstanding.size === 0),
    }
  }
}

/** `BLOB#INDEX` without its index. */
function blobOf(id: string): string {
  return id.slice(0, id.lastIndexOf("#"))
}
