import type { MessageQueue } from "./messageQueue.ts"
import type { QueueEntry } from "./queueEntry.ts"

/** A link that takes messages out of a queue. */
export interface QueueReceiver {
  /** Receive and delete: messages are gone when they are sent. */
  readonly isDestructive: boolean
  /** How many messages it takes at this moment. */
  capacity(): number
  deliver(entry: QueueEntry): void
}

/** The competing receivers of one queue; each gets one message in turn. */
export class QueueReceivers {
  readonly #queue: MessageQueue
  #receivers: readonly QueueReceiver[] = []
  #turn = 0
  #isPumping = false

  constructor(queue: MessageQueue) {
    this.#queue = queue
    queue.onAvailable = () => this.pump()
  }

  add(receiver: QueueReceiver): void {
    this.#receivers = [...this.#receivers, receiver]
  }

  remove(receiver: QueueReceiver): void {
    this.#receivers = this.#receivers.filter((other) => other !== receiver)
  }

  /** Hands out messages as long as there are any and somebody takes them. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      while (this.#queue.hasAvailable) {
        const receiver = this.#nextWithRoom()
        if (receiver === undefined) return
        const entry = receiver.isDestructive ? this.#queue.takeNext() : this.#queue.lockNext()
        if (entry === undefined) return
        receiver.deliver(entry)
      }
    } finally {
      this.#isPumping = false
    }
  }

  #nextWithRoom(): QueueReceiver | undefined {
    const count = this.#receivers.length
    for (let tried = 0; tried < count; tried += 1) {
      this.#turn = (this.#turn + 1) % count
      const receiver = this.#receivers[this.#turn]
      if (receiver && receiver.capacity() > 0) return receiver
    }
    return undefined
  }
}
