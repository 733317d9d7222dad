import type { InvocationContext } from "@azure/functions"
import { type MessageLineage, parseLineage } from "../shared/queue/messageLineage.ts"
import { parseTime } from "../shared/store/ledgerEntry.ts"

/** One queue message as the trigger delivers it. */
export interface TriggerMessage {
  /** What the Functions library made of the body: it parses JSON where it can. */
  readonly body: unknown
  readonly messageId: string
  readonly enqueuedAt?: Date
  readonly receivedAt: Date
  readonly lineage: MessageLineage
  /** Event Grid's own `aeg-…` properties, which a copy keeps. */
  readonly eventGridProperties: Readonly<Record<string, string>>
}

/**
 * Reads the trigger's metadata. The host copies the body's top-level keys over it; a body that would change what
 * is read here is refused by the parser (ERR_EVENT_COLLISION), so nothing here decides about identity.
 */
export function readTriggerMessage(
  body: unknown,
  triggerMetadata: InvocationContext["triggerMetadata"],
  receivedAt: Date,
): TriggerMessage {
  const metadata: Readonly<Record<string, unknown>> = triggerMetadata ?? {}
  const given = metadata["applicationProperties"] ?? metadata["userProperties"]
  const properties = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {}
  const enqueuedAt = readTime(metadata["enqueuedTimeUtc"])
  return {
    body,
    messageId: String(metadata["messageId"] ?? ""),
    ...(enqueuedAt ? { enqueuedAt } : {}),
    receivedAt,
    lineage: parseLineage(properties),
    eventGridProperties: Object.fromEntries(
      Object.entries(properties)
        .filter(([name, value]) => name.startsWith("aeg-") && typeof value !== "object")
        .map(([name, value]) => [name, String(value)]),
    ),
  }
}

function readTime(value: unknown): Date | undefined {
  if (typeof value === "string") return parseTime(value)
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined
}
