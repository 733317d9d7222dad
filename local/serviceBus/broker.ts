import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import type { EntityPath } from "./entityPath.ts"
import type { MessageQueue } from "./messageQueue.ts"
import type { QueueReceivers } from "./queueReceivers.ts"

/** One entity that links attach to: a queue or its dead letters, and who receives from it. */
export interface Entity {
  readonly queue: MessageQueue
  readonly receivers: QueueReceivers
}

/** What every connection of one broker shares. */
export interface Broker {
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  /** The key of the connection string, base64. */
  readonly sharedAccessKey: string
  readonly maxMessageBytes: number
  readonly log: (line: string) => void
  /** The queue or dead-letter queue of that path; undefined when there is none. */
  find(path: EntityPath): Entity | undefined
}
