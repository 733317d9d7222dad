import { encodeDelivery, factsOf } from "./encodeDelivery.ts"
import type { QueueChange } from "./queueChange.ts"
import type { QueueEntry } from "./queueEntry.ts"
import { parseMessage } from "./storedMessage.ts"

/** A change as JSON: operation, queue, then what belongs to the operation. Messages are AMQP bytes in base64. */
type JsonChange = readonly [op: string, queue: string, ...rest: unknown[]]

interface JsonEntry {
  readonly sequence: number
  readonly state: QueueEntry["state"]
  readonly enqueuedAtMs: number
  readonly deliveryCount: number
  readonly source?: string
  readonly originalSequence?: number
  readonly message: string
}

/** The JSON of one change; a line of the journal is an array of them. */
export function formatChange(change: QueueChange): string {
  return JSON.stringify(toJson(change))
}

function toJson(change: QueueChange): JsonChange {
  const { op, queue } = change
  switch (change.op) {
    case "put":
      return [op, queue, toJsonEntry(change.entry)]
    case "seen":
      return [op, queue, change.messageId, change.atMs]
    default:
      return [op, queue, change.sequence]
  }
}

function toJsonEntry(entry: Readonly<QueueEntry>): JsonEntry {
  const { sequence, state, enqueuedAtMs, deliveryCount, source, originalSequence } = entry
  return {
    sequence,
    state,
    enqueuedAtMs,
    deliveryCount,
    ...(source === undefined ? {} : { source }),
    ...(originalSequence === undefined ? {} : { originalSequence }),
    message: encodeDelivery(entry.message, factsOf(entry)).toString("base64"),
  }
}

/**
 * The changes of one line.
 *
 * @throws SyntaxError when the line is not whole.
 */
export function parseLine(line: string): QueueChange[] {
  return (JSON.parse(line) as JsonChange[]).map(fromJson)
}

function fromJson([op, queue, first, second]: JsonChange): QueueChange {
  switch (op) {
    case "put": {
      const { message, ...fields } = first as JsonEntry
      // The annotations of the broker in the bytes are dropped again by the parser.
      return { op, queue, entry: { ...fields, message: parseMessage(Buffer.from(message, "base64")) } }
    }
    case "seen":
      return { op, queue, messageId: String(first), atMs: Number(second) }
    case "lock":
    case "release":
    case "remove":
    case "count":
      return { op, queue, sequence: Number(first) }
    default:
      throw new SyntaxError(`Unknown operation ${op}`)
  }
}
