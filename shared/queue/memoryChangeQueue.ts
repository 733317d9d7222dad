import type { ChangeQueue, OutgoingMessage } from "./changeQueue.ts"
import type { PeekedMessage, QueueInspector } from "./queueInspector.ts"

/** A queue in memory that keeps what was sent, in order. */
export interface MemoryChangeQueue extends ChangeQueue {
  /** Everything that was ever sent. */
  readonly sent: readonly OutgoingMessage[]
  /** Takes every message that is not hidden by its schedule. */
  receive(): readonly OutgoingMessage[]
  /** Moves a message to the dead letters. */
  deadLetter(messageId: string, reason: string): void
  /** What peeking shows. */
  peek(store: "queue" | "deadLetter"): readonly PeekedMessage[]
}

interface Kept {
  readonly message: OutgoingMessage
  readonly enqueuedAt: Date
  readonly deadLetterReason?: string
}

/** An empty queue. `now` is the broker's clock; default: this machine's. */
export function createMemoryChangeQueue(now: () => Date = () => new Date()): MemoryChangeQueue {
  const sent: OutgoingMessage[] = []
  let waiting: Kept[] = []
  const dead: Kept[] = []
  const isHidden = ({ message: { scheduledAt } }: Kept) => scheduledAt !== undefined && scheduledAt > now()
  return {
    sent,
    send: async (message) => {
      sent.push(message)
      waiting.push({ message, enqueuedAt: now() })
    },
    receive: () => {
      const taken = waiting.filter((kept) => !isHidden(kept))
      waiting = waiting.filter(isHidden)
      return taken.map(({ message }) => message)
    },
    deadLetter: (messageId, deadLetterReason) => {
      const moved = waiting.filter(({ message }) => message.messageId === messageId)
      waiting = waiting.filter((kept) => !moved.includes(kept))
      dead.push(...moved.map((kept) => ({ ...kept, deadLetterReason })))
    },
    peek: (store) =>
      (store === "deadLetter" ? dead : waiting).map((kept) => ({
        state: isHidden(kept) ? "scheduled" : "active",
        enqueuedAt: kept.enqueuedAt,
        ...(kept.message.scheduledAt ? { scheduledAt: kept.message.scheduledAt } : {}),
        ...(kept.deadLetterReason === undefined ? {} : { deadLetterReason: kept.deadLetterReason }),
        body: parseBody(kept.message.body),
        properties: { ...kept.message.properties },
      })),
  }
}

/** Looks into memory queues by their names. See QueueInspector for the promise. */
export function createMemoryQueueInspector(
  queues: Readonly<Record<string, MemoryChangeQueue>>,
): QueueInspector {
  return {
    peek: async (queueName, store, limit) => {
      const messages = queues[queueName]?.peek(store) ?? []
      return { messages: messages.slice(0, limit), complete: messages.length <= limit }
    },
  }
}

/** As the Service Bus client hands a body over: parsed where it is JSON, else its bytes. */
function parseBody(body: string | Uint8Array): unknown {
  const bytes = Buffer.from(body)
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown
  } catch {
    return bytes
  }
}
