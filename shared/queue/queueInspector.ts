/** What peeking shows of one message. Times are the broker's. */
export interface PeekedMessage {
  readonly state: "active" | "deferred" | "scheduled"
  readonly enqueuedAt?: Date
  readonly scheduledAt?: Date
  readonly body: unknown
  readonly properties: Readonly<Record<string, unknown>>
  readonly deadLetterReason?: string
}

export type QueueStore = "queue" | "deadLetter"

/** Looks into a queue without taking anything. */
export interface QueueInspector {
  /**
   * Up to `limit` messages of the queue or of its dead letters, in sequence order; `complete` is false when
   * there are more. Safe to repeat; locks nothing, removes nothing.
   *
   * @throws ServiceError as ChangeQueue does.
   */
  peek(
    queueName: string,
    store: QueueStore,
    limit: number,
  ): Promise<{ readonly messages: readonly PeekedMessage[]; readonly complete: boolean }>
}
