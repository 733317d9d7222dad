import type { AllowList } from "../change/allowList.ts"
import type { ObjectVersion } from "../change/objectVersion.ts"
import { parseChanges } from "../change/parseChanges.ts"
import { parseLineage } from "../queue/messageLineage.ts"
import type { PeekedMessage } from "../queue/queueInspector.ts"
import { parseTime } from "../store/ledgerEntry.ts"

/** A change in a message that has not been handled to the end. */
export interface PendingChange {
  readonly object: ObjectVersion
  /** The event's time, else when the first message entered the queue. */
  readonly changedAt: Date | undefined
}

/** The changes in a message; none in one that only a person can decide about. */
export function pendingChanges(
  { body, properties, enqueuedAt }: PeekedMessage,
  allowList: AllowList,
): PendingChange[] {
  const fallback = parseLineage(properties).firstEnqueuedAt ?? enqueuedAt
  return parseChanges(body, allowList).flatMap((item) =>
    item.kind === "change"
      ? [{ object: item.change.object, changedAt: parseTime(item.change.event?.time) ?? fallback }]
      : [],
  )
}
