import { randomUUID } from "node:crypto"
import { type DeadLetter, deadLetterObject, deadLetterPath } from "./deadLetter.ts"
import type { Cancel, RelayClock } from "./relayClock.ts"
import { deadLetterPatienceMs, deadLetterWaitMs } from "./retrySchedule.ts"

export interface DeadLetterWriterOptions {
  readonly subscription: string
  readonly clock: RelayClock
  /**
   * Writes a blob into the dead-letter container. Throws when the container cannot be reached; an error whose
   * `code` is `ContainerNotFound` drops the letters at once.
   */
  readonly write: (path: string, body: Buffer) => Promise<void>
  readonly onWritten: (events: number, path: string) => void
  readonly onDropped: (events: number, why: string) => void
}

export interface DeadLetterWriter {
  add(letter: DeadLetter): void
  /** Events that are waiting to be written. */
  pending(): number
  stop(): void
}

interface Batch {
  readonly letters: DeadLetter[]
  readonly openedMs: number
  firstTriedMs?: number
  cancel?: Cancel
}

const batchWindowMs = 10_000
const maxBatchEvents = 100
const retryEveryMs = 60_000

/** Writes dead letters five minutes after they were given up; those of the same ten seconds share a blob. */
export function createDeadLetterWriter(options: DeadLetterWriterOptions): DeadLetterWriter {
  const { clock } = options
  const batches = new Set<Batch>()
  let open: Batch | undefined
  let isStopped = false

  async function write(batch: Batch): Promise<void> {
    if (open === batch) open = undefined
    batch.firstTriedMs ??= clock.elapsedMs()
    const path = deadLetterPath(options.subscription, clock.now(), randomUUID())
    const body = Buffer.from(JSON.stringify(batch.letters.map(deadLetterObject)))
    try {
      await options.write(path, body)
    } catch (error) {
      if (isStopped) return
      if ((error as { code?: unknown } | undefined)?.code === "ContainerNotFound") {
        return drop(batch, "the dead-letter container does not exist")
      }
      if (clock.elapsedMs() + retryEveryMs - batch.firstTriedMs > deadLetterPatienceMs) {
        return drop(batch, "the dead-letter container could not be reached for four hours")
      }
      batch.cancel = clock.schedule(retryEveryMs, () => void write(batch))
      return
    }
    if (!batches.delete(batch)) return
    options.onWritten(batch.letters.length, path)
  }

  function drop(batch: Batch, why: string): void {
    batches.delete(batch)
    options.onDropped(batch.letters.length, why)
  }

  return {
    add: (letter) => {
      const isOpen =
        open !== undefined &&
        clock.elapsedMs() - open.openedMs < batchWindowMs &&
        open.letters.length < maxBatchEvents
      if (!isOpen || open === undefined) {
        const batch: Batch = { letters: [], openedMs: clock.elapsedMs() }
        batch.cancel = clock.schedule(deadLetterWaitMs, () => void write(batch))
        batches.add(batch)
        open = batch
      }
      open.letters.push(letter)
    },
    pending: () => batches.values().reduce((sum, { letters }) => sum + letters.length, 0),
    stop: () => {
      isStopped = true
      for (const { cancel } of batches) cancel?.()
      batches.clear()
    },
  }
}
