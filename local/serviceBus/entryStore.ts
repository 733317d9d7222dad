import { DeliveryOrder } from "./deliveryOrder.ts"
import type { QueueJournal } from "./queueChange.ts"
import type { QueueEntry } from "./queueEntry.ts"
import { SequenceIndex } from "./sequenceIndex.ts"

/** The entries of one queue and the order in which they are given out. Notes every change in the journal. */
export class EntryStore {
  readonly #path: string
  readonly #journal: QueueJournal
  readonly #index = new SequenceIndex<QueueEntry>()
  readonly #order = new DeliveryOrder()
  #lastSequence = 0

  /** @param path - the entity path, lower case. */
  constructor(path: string, journal: QueueJournal) {
    this.#path = path
    this.#journal = journal
  }

  get size(): number {
    return this.#index.size
  }

  /** Whether `next` would probably find one. */
  get hasNext(): boolean {
    return this.#order.size > 0
  }

  /** The entries of all these numbers; undefined when one is not there or not wanted. */
  all(sequences: readonly number[], isWanted: (entry: QueueEntry) => boolean): QueueEntry[] | undefined {
    const entries = sequences.map((sequence) => this.#index.get(sequence))
    const isFound = (entry: QueueEntry | undefined): entry is QueueEntry =>
      entry !== undefined && isWanted(entry)
    return entries.every(isFound) ? entries : undefined
  }

  /** Up to `count` entries from `sequence` on, in sequence order. */
  from(sequence: number, count: number): QueueEntry[] {
    return this.#index.from(sequence, count)
  }

  values(): MapIterator<QueueEntry> {
    return this.#index.values()
  }

  /** Appends an entry with the next sequence number. */
  add(fields: Omit<QueueEntry, "sequence" | "lock">): QueueEntry {
    const entry: QueueEntry = { ...fields, sequence: this.#lastSequence + 1 }
    this.restore(entry)
    this.noteChanged(entry)
    return entry
  }

  /** Puts back an entry as the journal has it; entries come in ascending order. */
  restore(entry: QueueEntry): void {
    this.#lastSequence = entry.sequence
    this.#index.append(entry.sequence, entry)
    if (entry.state === "active") this.#order.append(entry.sequence)
  }

  /** Goes on counting after `sequence`. */
  skipTo(sequence: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence)
  }

  remove(entry: QueueEntry): void {
    this.#index.delete(entry.sequence)
    this.#journal.note({ op: "remove", queue: this.#path, sequence: entry.sequence })
  }

  /** The oldest active entry that nobody has, which from then on is somebody's. */
  next(): QueueEntry | undefined {
    for (;;) {
      const sequence = this.#order.shift()
      if (sequence === undefined) return undefined
      const entry = this.#index.get(sequence)
      if (entry !== undefined) return entry
    }
  }

  /** Makes an entry that was taken available again, at its old place. */
  giveBack(entry: QueueEntry): void {
    this.#order.giveBack(entry.sequence)
  }

  noteChanged(entry: QueueEntry): void {
    this.#journal.note({ op: "put", queue: this.#path, entry })
  }

  noteLocked(entry: QueueEntry): void {
    this.#journal.note({ op: "lock", queue: this.#path, sequence: entry.sequence })
  }

  noteReleased(entry: QueueEntry): void {
    this.#journal.note({ op: "release", queue: this.#path, sequence: entry.sequence })
  }
}
