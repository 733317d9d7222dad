import type { AllowList } from "../change/allowList.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import type { ProtectedVersions } from "../deadLetter/protectedVersions.ts"
import type { QueueInspector } from "../queue/queueInspector.ts"
import { type CauseStatus, countCauses } from "./causes.ts"
import { peekQueues } from "./peekQueues.ts"

/** A change that is known and not stored. */
export interface UnprotectedChange {
  /** Version URL. */
  readonly id: string
  readonly changedAt: Date
}

/** What waits, for alerts. */
export interface Backlog {
  readonly deferred: readonly CauseStatus[]
  readonly deadLettered: readonly CauseStatus[]
  readonly quarantined: readonly CauseStatus[]
  /** Of all changes in any queue; absent when each of them is stored. */
  readonly oldestUnprotected?: UnprotectedChange
  /** False when a queue has more messages than were looked at. */
  readonly complete: boolean
}

export interface BacklogOptions {
  readonly queues: QueueInspector
  readonly queue: string
  readonly quarantineQueue: string
  readonly versions: ProtectedVersions
  readonly allowList: AllowList
}

const looksAtOnce = 50

/**
 * Looks into the queues, and asks the store about their changes from the oldest on until one is not stored. Unlike a
 * status it does not list the store, so that it may run every few minutes. Takes nothing; safe to repeat.
 *
 * @throws ServiceError as QueueInspector and StoreCatalog do.
 */
export async function readBacklog(options: BacklogOptions): Promise<Backlog> {
  const { queues, queue, quarantineQueue, versions, allowList } = options
  const peeked = await peekQueues({ inspector: queues, queue, quarantineQueue, allowList })
  const changes = peeked.changes
    .flatMap(({ object, changedAt }) => (changedAt ? [{ object, changedAt }] : []))
    .sort((a, b) => a.changedAt.getTime() - b.changedAt.getTime())
  const oldest = await findUnprotected(changes, versions)
  return {
    deferred: countCauses(peeked.deferred),
    deadLettered: countCauses(peeked.deadLettered),
    quarantined: countCauses(peeked.quarantined),
    ...(oldest ? { oldestUnprotected: oldest } : {}),
    complete: peeked.complete,
  }
}

async function findUnprotected(
  changes: readonly { readonly object: ObjectVersion; readonly changedAt: Date }[],
  versions: ProtectedVersions,
): Promise<UnprotectedChange | undefined> {
  for (let from = 0; from < changes.length; from += looksAtOnce) {
    const some = changes.slice(from, from + looksAtOnce)
    const isStored = await versions.look(some.map(({ object }) => object))
    const found = some.find(({ object }) => !isStored(object))
    if (found) return { id: formatVersionUrl(found.object), changedAt: found.changedAt }
  }
  return undefined
}
