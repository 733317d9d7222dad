import type { MessageCopy } from "./messageCopy.ts"

/** Sends copies to the queue of changes and to quarantine. */
export interface CopySender {
  /**
   * Sends all of them; resolves when the broker has accepted all but those it returns.
   *
   * A repetition sends them a second time, with the same MessageIds.
   *
   * @returns MessageIds that the broker refuses for good, as too large.
   * @throws ServiceError as ChangeQueue does; then it is not known which were accepted.
   */
  send(
    copies: readonly MessageCopy[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReadonlySet<string>>
}
