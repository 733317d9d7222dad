import type { QueueEntry } from "./queueEntry.ts"

/** One change of one queue, as the journal keeps it. `queue` is the entity path, lower case. */
export type QueueChange =
  /** The whole entry, new or changed; its lock is not part of it. */
  | { readonly op: "put"; readonly queue: string; readonly entry: Readonly<QueueEntry> }
  /** A delivery is under way; after a restart it counts as one that ended without settlement. */
  | { readonly op: "lock"; readonly queue: string; readonly sequence: number }
  /** The delivery ended without settlement. */
  | { readonly op: "release"; readonly queue: string; readonly sequence: number }
  | { readonly op: "remove"; readonly queue: string; readonly sequence: number }
  /** Numbers up to this one have been given out. */
  | { readonly op: "count"; readonly queue: string; readonly sequence: number }
  /** A message id that duplicate detection remembers. */
  | { readonly op: "seen"; readonly queue: string; readonly messageId: string; readonly atMs: number }

/** Where queues write what they did. */
export interface QueueJournal {
  /** Notes a change as it is at this moment; nothing is written before `commit`. */
  note(change: QueueChange): void
  /**
   * Writes everything noted since the last commit, as one unit: after a crash all of it holds or nothing. Whoever
   * acknowledges something to a client commits first.
   */
  commit(): void
}

/** The journal of a queue that lives in memory only. */
export const noJournal: QueueJournal = { note: () => {}, commit: () => {} }
