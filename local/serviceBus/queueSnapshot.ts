import type { QueueChange } from "./queueChange.ts"
import type { QueueEntry } from "./queueEntry.ts"

/** One queue, or one dead-letter queue, as its journal leaves it. */
export interface QueueSnapshot {
  /** In ascending order of their numbers. */
  readonly entries: readonly QueueEntry[]
  readonly lastSequence: number
  /** Remembered message ids with the time they were seen, oldest first. */
  readonly seen: ReadonlyMap<string, number>
}

interface Draft {
  readonly entries: Map<number, QueueEntry>
  readonly locked: Set<number>
  readonly seen: Map<string, number>
  lastSequence: number
}

/**
 * Rebuilds queues from their changes. A delivery that was under way counts as one that ended without settlement:
 * its lock does not survive the broker.
 */
export class SnapshotBuilder {
  readonly #drafts = new Map<string, Draft>()

  apply(change: QueueChange): void {
    const draft = this.#draft(change.queue)
    if (change.op === "seen") {
      draft.seen.delete(change.messageId)
      draft.seen.set(change.messageId, change.atMs)
      return
    }
    const sequence = change.op === "put" ? change.entry.sequence : change.sequence
    draft.lastSequence = Math.max(draft.lastSequence, sequence)
    const entry = draft.entries.get(sequence)
    switch (change.op) {
      case "put":
        draft.entries.set(sequence, change.entry)
        if (change.entry.state === "deferred") draft.locked.delete(sequence)
        break
      case "lock":
        draft.locked.add(sequence)
        break
      case "release":
        if (entry) entry.deliveryCount += 1
        draft.locked.delete(sequence)
        break
      case "remove":
        draft.entries.delete(sequence)
        draft.locked.delete(sequence)
    }
  }

  /** By entity path, lower case. */
  finish(): Map<string, QueueSnapshot> {
    const snapshots = new Map<string, QueueSnapshot>()
    for (const [queue, { entries, locked, seen, lastSequence }] of this.#drafts) {
      for (const sequence of locked) {
        const entry = entries.get(sequence)
        if (entry) entry.deliveryCount += 1
      }
      locked.clear()
      const ordered = [...entries.values()].sort((a, b) => a.sequence - b.sequence)
      snapshots.set(queue, { entries: ordered, lastSequence, seen })
    }
    return snapshots
  }

  #draft(queue: string): Draft {
    const known = this.#drafts.get(queue)
    if (known) return known
    const draft: Draft = { entries: new Map(), locked: new Set(), seen: new Map(), lastSequence: 0 }
    this.#drafts.set(queue, draft)
    return draft
  }
}

/** The fewest changes that rebuild the queues of `snapshots`. */
export function* toChanges(snapshots: ReadonlyMap<string, QueueSnapshot>): Generator<QueueChange> {
  for (const [queue, { entries, lastSequence, seen }] of snapshots) {
    yield { op: "count", queue, sequence: lastSequence }
    for (const [messageId, atMs] of seen) yield { op: "seen", queue, messageId, atMs }
    for (const entry of entries) yield { op: "put", queue, entry }
  }
}
