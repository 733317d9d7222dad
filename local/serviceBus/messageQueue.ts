import { deadLetterCopy, deadLetterSettings, exhausted, expired } from "./deadLetter.ts"
import { DuplicateWindow } from "./duplicateWindow.ts"
import { EntryStore } from "./entryStore.ts"
import { ExpirySweep, expiresAtMs, withTtlCap } from "./expirySweep.ts"
import { LockTable } from "./lockTable.ts"
import type { LockToken } from "./lockToken.ts"
import { noJournal, type QueueJournal } from "./queueChange.ts"
import type { LockedEntry, QueueCounts, QueueEntry, QueueSettings } from "./queueEntry.ts"
import type { QueueSnapshot } from "./queueSnapshot.ts"
import { Schedule } from "./schedule.ts"
import type { Settlement, SettlementResult } from "./settlement.ts"
import { type ApplicationProperties, type StoredMessage, withApplicationProperties } from "./storedMessage.ts"
import { systemTimers, type Timers } from "./timers.ts"

/** The clock and the journal; absent, the system's and none. */
type Context = { readonly timers?: Timers; readonly journal?: QueueJournal }

/**
 * One queue with its dead letters, as a state machine without any I/O of its own: locks, delivery counts, time to
 * live, scheduling and duplicate detection behave as the service documents them. Every change is in the journal
 * before the method that made it returns.
 */
export class MessageQueue {
  readonly settings: QueueSettings
  /** The dead-letter queue; undefined on a dead-letter queue itself. */
  readonly deadLetters: MessageQueue | undefined
  /** Called when messages may have become available. */
  onAvailable: () => void = () => {}
  readonly #timers: Timers
  readonly #journal: QueueJournal
  readonly #path: string
  readonly #entries: EntryStore
  readonly #locks: LockTable
  readonly #schedule: Schedule
  readonly #seen: DuplicateWindow | undefined
  readonly #expiry: ExpirySweep

  constructor(settings: QueueSettings, context: Context = {}, isDeadLetters = false) {
    this.settings = settings
    this.#path = settings.name.toLowerCase()
    this.#timers = context.timers ?? systemTimers
    this.#journal = context.journal ?? noJournal
    this.#entries = new EntryStore(this.#path, this.#journal)
    this.#locks = new LockTable(settings.lockDurationMs, this.#timers, (entry) => this.#lockRanOut(entry))
    this.#schedule = new Schedule(this.#timers)
    this.#expiry = new ExpirySweep(this.#timers, () => this.#sweepExpired())
    if (isDeadLetters) return
    if (settings.duplicateWindowMs !== undefined) this.#seen = new DuplicateWindow(settings.duplicateWindowMs)
    this.deadLetters = new MessageQueue(deadLetterSettings(settings), context, true)
  }

  /**
   * Puts back what the journal held, before anything else happens. A message whose deliveries are used up is
   * dead-lettered.
   *
   * @param snapshotOf - by entity path, lower case.
   */
  restore(snapshotOf: (path: string) => QueueSnapshot | undefined): void {
    this.deadLetters?.restore(snapshotOf)
    const snapshot = snapshotOf(this.#path)
    if (snapshot === undefined) return
    for (const entry of snapshot.entries) {
      this.#entries.restore(entry)
      this.#watch(entry)
    }
    this.#entries.skipTo(snapshot.lastSequence)
    this.#seen?.restore(snapshot.seen)
    for (const entry of snapshot.entries) if (entry.state === "active") this.#dropExhausted(entry)
    this.#journal.commit()
  }

  /**
   * Takes a message in; one whose delivery time lies ahead is scheduled.
   *
   * @returns its sequence number, or undefined for a duplicate, which the service accepts and drops.
   */
  enqueue(message: StoredMessage): number | undefined {
    const nowMs = this.#timers.now()
    if (this.#seen) {
      if (!this.#seen.admit(message.messageId, nowMs)) return undefined
      this.#journal.note({ op: "seen", queue: this.#path, messageId: message.messageId, atMs: nowMs })
    }
    const isScheduled = message.scheduledAtMs !== undefined && message.scheduledAtMs > nowMs
    const entry = this.#add({
      message: withTtlCap(message, this.settings.defaultTtlMs),
      enqueuedAtMs: nowMs,
      state: isScheduled ? "scheduled" : "active",
      deliveryCount: 0,
    })
    this.#journal.commit()
    return entry.sequence
  }

  /** Whether a receiver would get something. */
  get hasAvailable(): boolean {
    return this.#entries.hasNext
  }

  /** Locks the next message for a receiver. */
  lockNext(): LockedEntry | undefined {
    const entry = this.#next()
    if (entry === undefined) return undefined
    const locked = this.#lock(entry)
    this.#journal.commit()
    return locked
  }

  /** Takes the next message out for good: receive and delete. */
  takeNext(): QueueEntry | undefined {
    const entry = this.#next()
    if (entry === undefined) return undefined
    this.#remove(entry)
    this.#journal.commit()
    return entry
  }

  /** Ends a delivery. A lock that ran out, or was used already, changes nothing. */
  settle(token: LockToken, settlement: Settlement): SettlementResult {
    const entry = this.#locks.get(token)
    if (entry === undefined) return "lockLost"
    if (settlement.outcome === "deadLetter" && this.deadLetters === undefined) return "notAllowed"
    this.#locks.unlock(entry)
    switch (settlement.outcome) {
      case "complete":
        this.#remove(entry)
        break
      case "abandon":
        this.#amend(entry, settlement.properties, entry.state)
        this.#release(entry)
        break
      case "defer":
        entry.deliveryCount += 1
        this.#amend(entry, settlement.properties, "deferred")
        this.#dropExhausted(entry)
        break
      case "deadLetter":
        this.#deadLetter(entry, settlement.properties)
    }
    this.#journal.commit()
    this.#announce()
    return "settled"
  }

  /** Starts the lock's duration again; undefined when the lock is lost, else when it ends. */
  renew(token: LockToken): number | undefined {
    return this.#locks.renew(token)
  }

  /** Messages in every state, in sequence order, without touching them. */
  peek(fromSequence: number, count: number): QueueEntry[] {
    return this.#entries.from(fromSequence, count)
  }

  /** Cancels scheduled messages; false, and nothing done, when one of them is not scheduled. */
  cancelScheduled(sequences: readonly number[]): boolean {
    const entries = this.#entries.all(sequences, ({ state }) => state === "scheduled")
    if (entries === undefined) return false
    for (const entry of entries) this.#remove(entry)
    this.#journal.commit()
    return true
  }

  /**
   * Gives out deferred messages, locked or (`destructive`) taken out for good; undefined, and nothing done, when one
   * of them is not there, not deferred or with another receiver.
   */
  receiveDeferred(sequences: readonly number[], destructive: boolean): QueueEntry[] | undefined {
    const isFree = (entry: QueueEntry) =>
      entry.state === "deferred" && entry.lock === undefined && !this.#isExpired(entry)
    const entries = this.#entries.all(sequences, isFree)
    if (entries === undefined) return undefined
    for (const entry of entries) {
      if (destructive) this.#remove(entry)
      else this.#lock(entry)
    }
    this.#journal.commit()
    return entries
  }

  counts(): QueueCounts {
    const counts = { active: 0, locked: 0, scheduled: 0, deferred: 0 }
    for (const { lock, state } of this.#entries.values()) counts[lock ? "locked" : state] += 1
    return { ...counts, deadLettered: this.deadLetters?.size ?? 0 }
  }

  get size(): number {
    return this.#entries.size
  }

  /** Drops every timer; the queue does nothing by itself any more. */
  stop(): void {
    this.#expiry.stop()
    this.#locks.stop()
    this.#schedule.stop()
    this.deadLetters?.stop()
  }

  #add(fields: Omit<QueueEntry, "sequence" | "lock">): QueueEntry {
    const entry = this.#entries.add(fields)
    this.#watch(entry)
    this.#announce()
    return entry
  }

  #watch(entry: QueueEntry): void {
    if (entry.state === "scheduled") {
      this.#schedule.add(entry.sequence, entry.message.scheduledAtMs ?? 0, () => this.#activate(entry))
    } else this.#expiry.watch(expiresAtMs(entry))
  }

  /** A message that becomes active is appended as if it came now, with a new number (message-sequencing.md). */
  #activate(entry: QueueEntry): void {
    this.#remove(entry)
    this.#add({ ...entry, state: "active", enqueuedAtMs: this.#timers.now() })
    this.#journal.commit()
  }

  #next(): QueueEntry | undefined {
    for (;;) {
      const entry = this.#entries.next()
      if (entry === undefined || !this.#isExpired(entry)) return entry
      this.#expire(entry)
      this.#journal.commit()
    }
  }

  #lock(entry: QueueEntry): LockedEntry {
    this.#entries.noteLocked(entry)
    return this.#locks.lock(entry)
  }

  #lockRanOut(entry: QueueEntry): void {
    this.#release(entry)
    this.#journal.commit()
    this.#announce()
  }

  /** After a delivery that ended without settlement. */
  #release(entry: QueueEntry): void {
    entry.deliveryCount += 1
    this.#entries.noteReleased(entry)
    if (this.#isExpired(entry)) this.#expire(entry)
    else if (entry.state === "active" && !this.#dropExhausted(entry)) this.#entries.giveBack(entry)
  }

  /** Dead-letters an entry whose deliveries are used up; to defer is one of them (azure-service-bus #375). */
  #dropExhausted(entry: QueueEntry): boolean {
    const { maxDeliveryCount } = this.settings
    if (entry.deliveryCount < maxDeliveryCount) return false
    this.#deadLetter(entry, exhausted(maxDeliveryCount))
    return true
  }

  #amend(entry: QueueEntry, properties: ApplicationProperties, state: QueueEntry["state"]): void {
    if (properties.size === 0 && state === "active") return
    entry.message = withApplicationProperties(entry.message, properties)
    entry.state = state
    this.#entries.noteChanged(entry)
  }

  #deadLetter(entry: QueueEntry, properties: ApplicationProperties): void {
    this.#remove(entry)
    if (this.deadLetters) this.deadLetters.#add(deadLetterCopy(entry, this.settings.name, properties))
  }

  #remove(entry: QueueEntry): void {
    this.#locks.unlock(entry)
    this.#schedule.cancel(entry.sequence)
    this.#entries.remove(entry)
  }

  #isExpired(entry: QueueEntry): boolean {
    return expiresAtMs(entry) <= this.#timers.now()
  }

  #expire(entry: QueueEntry): void {
    if (this.settings.deadLetterOnExpiry === false) this.#remove(entry)
    else this.#deadLetter(entry, expired)
  }

  #sweepExpired(): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const entry of this.#entries.values()) {
      // A locked message stays with its receiver; what becomes of it is decided when the lock ends.
      if (entry.lock || entry.state === "scheduled") continue
      if (this.#isExpired(entry)) this.#expire(entry)
      else nextMs = Math.min(nextMs, expiresAtMs(entry))
    }
    this.#journal.commit()
    return nextMs
  }

  #announce(): void {
    if (this.hasAvailable) this.onAvailable()
  }
}
