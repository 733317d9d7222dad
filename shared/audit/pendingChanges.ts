import type { AllowList } from "../change/allowList.ts"
import type { ObjectVersion } from "../change/objectVersion.ts"
import { parseChanges } from "../change/parseChanges.ts"
import { decodeChanges } from "../deadLetter/decodeBody.ts"
import { parseLineage } from "../queue/messageLineage.ts"
import type { PeekedMessage } from "../queue/queueInspector.ts"
import { parseTime } from "../store/ledgerEntry.ts"
import { earlier } from "./causes.ts"

/** A change in a message that has not been handled to the end. */
export interface PendingChange {
  readonly object: ObjectVersion
  /** The event's time, or when the first message entered the queue where that was earlier or the event has none. */
  readonly changedAt: Date | undefined
}

/** Key Vault is not older, so no change is. */
const firstChangeAt = new Date("2015-01-01T00:00:00Z")

/**
 * The changes in a message; none in one that only a person can decide about. A body that is not UTF-8 is decoded, as
 * replay does it. A sender may write any time into an event; one that nothing can have happened at counts as none.
 */
export function pendingChanges(
  { body, properties, enqueuedAt }: PeekedMessage,
  allowList: AllowList,
): PendingChange[] {
  const enqueued = parseLineage(properties).firstEnqueuedAt ?? enqueuedAt
  const items =
    (body instanceof Uint8Array ? decodeChanges(body, allowList) : undefined) ?? parseChanges(body, allowList)
  return items.flatMap((item) => {
    if (item.kind !== "change") return []
    const eventAt = parseTime(item.change.event?.time)
    const changedAt = earlier(eventAt && eventAt >= firstChangeAt ? eventAt : undefined, enqueued)
    return [{ object: item.change.object, changedAt }]
  })
}
