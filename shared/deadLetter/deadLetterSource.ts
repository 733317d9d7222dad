import type { DeadLetter, SourceName } from "./deadLetter.ts"
import type { MemberSet } from "./memberSet.ts"

export interface ListOptions {
  readonly signal?: AbortSignal
  /** Blobs that need not be opened: each of their entries is accounted for. */
  readonly isAccountedFor?: (blob: string) => boolean
}

/** One place that holds dead letters. */
export interface DeadLetterSource {
  readonly source: SourceName
  /** Path of the queue, or name of the container. */
  readonly place: string
  /** An empty set for ids of this place. */
  createMembers(): MemberSet
  /**
   * Everything that is there, page by page, without taking anything. Safe to repeat.
   *
   * @throws ServiceError as ChangeQueue or StoreCatalog do.
   */
  list(options?: ListOptions): AsyncIterable<readonly DeadLetter[]>
  /** Opens the place to take from. Nobody else must take from it through this object before it is closed. */
  open(options?: ListOptions): DeadLetterReceiver
}

export interface TakeOptions {
  /** How long to wait for the first one. */
  readonly waitMs: number
  readonly signal?: AbortSignal
}

/** Takes dead letters one by one; what is taken is locked, and stays where it is until it is completed. */
export interface DeadLetterReceiver {
  /**
   * Up to `limit` letters that nobody has locked; none when there are none. The locks end by themselves.
   *
   * @throws ServiceError as ChangeQueue does.
   */
  take(limit: number, options: TakeOptions): Promise<readonly DeadLetter[]>
  /**
   * Makes the lock of a letter that was taken last long enough to work on it.
   *
   * @throws ServiceError ERR_QUEUE_LOCK_LOST; the letter can be taken again.
   */
  extend(letter: DeadLetter): Promise<void>
  /**
   * Removes a letter that was taken; no effect where nothing can be removed.
   *
   * @throws ServiceError ERR_QUEUE_LOCK_LOST, or ERR_QUEUE_UNAVAILABLE: then it is not known whether it is gone.
   */
  complete(letter: DeadLetter): Promise<void>
  /** Gives letters back at once. Never throws: their locks end anyway. */
  release(letters: readonly DeadLetter[]): Promise<void>
  close(): Promise<void>
}
