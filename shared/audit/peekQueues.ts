import type { AllowList } from "../change/allowList.ts"
import { parseLineage } from "../queue/messageLineage.ts"
import type { PeekedMessage, QueueInspector } from "../queue/queueInspector.ts"
import type { AuditQueues } from "./auditReport.ts"
import { type CauseStatus, countCauses, earlier } from "./causes.ts"
import { type PendingChange, pendingChanges } from "./pendingChanges.ts"

/** How many messages of one queue are looked at; beyond it only "more than" can be said. */
export const peekLimit = 10_000

/** The queues of the product, and how to look into them. */
export interface QueuesToPeek {
  readonly inspector: QueueInspector
  readonly queue: string
  readonly quarantineQueue: string
  readonly allowList: AllowList
}

/** The messages of all queues by where they are. Properties and bodies are as they were sent. */
export interface PeekedQueues {
  readonly waiting: readonly PeekedMessage[]
  readonly deferred: readonly PeekedMessage[]
  readonly deadLettered: readonly PeekedMessage[]
  /** With those that were taken from quarantine too often without being settled. */
  readonly quarantined: readonly PeekedMessage[]
  /** Every change in them, stored or not. */
  readonly changes: readonly PendingChange[]
  /** False when a queue has more messages than were looked at. */
  readonly complete: boolean
}

/**
 * Looks into both queues and their dead letters. Takes nothing; safe to repeat.
 *
 * @throws ServiceError as QueueInspector does.
 */
export async function peekQueues(options: QueuesToPeek): Promise<PeekedQueues> {
  const { inspector, queue, quarantineQueue, allowList } = options
  const live = await inspector.peek(queue, "queue", peekLimit)
  const dead = await inspector.peek(queue, "deadLetter", peekLimit)
  const held = await inspector.peek(quarantineQueue, "queue", peekLimit)
  const heldDead = await inspector.peek(quarantineQueue, "deadLetter", peekLimit)
  const quarantined = [...held.messages, ...heldDead.messages]
  const isDeferred = ({ properties }: PeekedMessage) => parseLineage(properties).attempt > 0
  return {
    waiting: live.messages.filter((message) => !isDeferred(message)),
    deferred: live.messages.filter(isDeferred),
    deadLettered: dead.messages,
    quarantined,
    changes: [...live.messages, ...dead.messages, ...quarantined].flatMap((message) =>
      pendingChanges(message, allowList),
    ),
    complete: [live, dead, held, heldDead].every(({ complete }) => complete),
  }
}

/** The numbers of a report. A change that is stored already is counted, and holds nothing up. */
export function countQueues(peeked: PeekedQueues): AuditQueues {
  const oldest = [...peeked.waiting, ...peeked.deferred]
    .map(({ properties, enqueuedAt }) => parseLineage(properties).firstEnqueuedAt ?? enqueuedAt)
    .reduce(earlier, undefined)
  const by = (messages: readonly PeekedMessage[]) => countCauses(messages).map(toCause)
  return {
    waiting: peeked.waiting.length,
    deferred: peeked.deferred.length,
    deadLettered: peeked.deadLettered.length,
    quarantined: peeked.quarantined.length,
    ...(oldest ? { oldestAt: oldest.toISOString() } : {}),
    deferredBy: by(peeked.deferred),
    deadLetteredBy: by(peeked.deadLettered),
    quarantinedBy: by(peeked.quarantined),
    complete: peeked.complete,
  }
}

function toCause({ cause, count, oldest, next }: CauseStatus): AuditQueues["deferredBy"][number] {
  return {
    cause,
    count,
    ...(oldest ? { oldest: oldest.toISOString() } : {}),
    ...(next ? { next: next.toISOString() } : {}),
  }
}
