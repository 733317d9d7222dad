/** One message to be sent. */
export interface OutgoingMessage {
  readonly body: string | Uint8Array
  /** At most 128 characters; a fresh one for every copy, or duplicate detection swallows it. */
  readonly messageId: string
  readonly contentType?: string
  readonly properties: Readonly<Record<string, string>>
  /** Hidden from receivers until then. */
  readonly scheduledAt?: Date
}

/** A queue that takes messages: the queue of changes, or quarantine. */
export interface ChangeQueue {
  /**
   * Sends one message; resolves when the broker has accepted it. Repeating it sends a second message.
   *
   * @throws ServiceError ERR_QUEUE_FORBIDDEN, ERR_QUEUE_FIREWALL, ERR_QUEUE_NOT_FOUND, ERR_QUEUE_UNAVAILABLE,
   * ERR_IDENTITY_UNAVAILABLE, else ERR_UNKNOWN.
   */
  send(message: OutgoingMessage, options?: { readonly signal?: AbortSignal }): Promise<void>
}
