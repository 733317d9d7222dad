import type { InvocationContext } from "@azure/functions"
import type { SpanContext } from "@opentelemetry/api"
import { foldKey, isJsonObject } from "../shared/change/eventFields.ts"
import { type MessageLineage, parseLineage } from "../shared/queue/messageLineage.ts"
import { parseTime } from "../shared/store/ledgerEntry.ts"
import { parseTraceparent } from "../shared/telemetry/traceparent.ts"

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
  /** The trace that the sender wrote on the message, where it is well-formed. */
  readonly sender?: SpanContext
}

/**
 * Reads the trigger's metadata. The host copies the body's top-level keys over it, whatever their case; what such a key
 * may have replaced counts as absent. The parser refuses the body itself (ERR_EVENT_COLLISION), and its copy in
 * quarantine must not carry what the sender made up.
 */
export function readTriggerMessage(
  body: unknown,
  triggerMetadata: InvocationContext["triggerMetadata"],
  receivedAt: Date,
): TriggerMessage {
  const replaced = new Set(isJsonObject(body) ? Object.keys(body).map(foldKey) : [])
  const metadata = Object.fromEntries(
    Object.entries(triggerMetadata ?? {}).filter(([name]) => !replaced.has(foldKey(name))),
  )
  const given = metadata["applicationProperties"] ?? metadata["userProperties"]
  const properties = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : {}
  const enqueuedAt = readTime(metadata["enqueuedTimeUtc"])
  const sender = readSender(properties)
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
    ...(sender ? { sender } : {}),
  }
}

/**
 * Clients of Service Bus write `traceparent` or, in older releases, `Diagnostic-Id`, which the host hands over as
 * `diagnostic-Id`.
 *
 * Source: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-end-to-end-tracing
 */
function readSender(properties: Readonly<Record<string, unknown>>): SpanContext | undefined {
  return parseTraceparent(properties["traceparent"]) ?? parseTraceparent(properties["diagnostic-Id"])
}

function readTime(value: unknown): Date | undefined {
  if (typeof value === "string") return parseTime(value)
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined
}
