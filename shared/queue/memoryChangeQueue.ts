import type { ChangeQueue, OutgoingMessage } from "./changeQueue.ts"

/** A queue in memory that keeps what was sent, in order. */
export interface MemoryChangeQueue extends ChangeQueue {
  readonly sent: readonly OutgoingMessage[]
}

/** An empty queue. */
export function createMemoryChangeQueue(): MemoryChangeQueue {
  const sent: OutgoingMessage[] = []
  return {
    sent,
    send: async (message) => {
      sent.push(message)
    },
  }
}
