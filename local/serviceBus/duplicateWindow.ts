/** The message ids of the last `windowMs` milliseconds. */
export class DuplicateWindow {
  readonly #windowMs: number
  /** In order of arrival, so the oldest come first. */
  readonly #seenAtMs = new Map<string, number>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Remembers `messageId`; false when it is remembered already. */
  admit(messageId: string, nowMs: number): boolean {
    for (const [oldest, seenAtMs] of this.#seenAtMs) {
      if (seenAtMs + this.#windowMs > nowMs) break
      this.#seenAtMs.delete(oldest)
    }
    if (this.#seenAtMs.has(messageId)) return false
    this.#seenAtMs.set(messageId, nowMs)
    return true
  }

  /** Remembers ids again after a restart; oldest first. */
  restore(seen: ReadonlyMap<string, number>): void {
    for (const [messageId, atMs] of seen) this.#seenAtMs.set(messageId, atMs)
  }
}
