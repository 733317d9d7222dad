import type { Attributes } from "@opentelemetry/api"

/** Which names of OpenTelemetry's messaging conventions are written: those up to 1.24, the newer ones, or both. */
export type MessagingConventions = "old" | "new" | "both"

/**
 * Reads `OTEL_SEMCONV_STABILITY_OPT_IN`: a comma list in which `messaging` asks for the newer names and `messaging/dup`,
 * which wins, for both.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/messaging/
 */
export function readMessagingConventions(optIn: string | undefined): MessagingConventions {
  const values = new Set((optIn ?? "").split(",").map((value) => value.trim().toLowerCase()))
  if (values.has("messaging/dup")) return "both"
  return values.has("messaging") ? "new" : "old"
}

/** What is known of a message that is about to be processed. */
export interface ProcessedMessage {
  readonly queue: string
  readonly messageId: string
  readonly enqueuedAt?: Date
}

/** Ids as brokers and we make them; what a stranger wrote in their place stays out. */
const plainId = /^[\w-]{1,64}$/

/** Name and attributes of the span of one processed message. */
export function describeProcessing(
  conventions: MessagingConventions,
  { queue, messageId, enqueuedAt }: ProcessedMessage,
): { readonly name: string; readonly attributes: Attributes } {
  return {
    name: conventions === "old" ? `${queue} deliver` : `process ${queue}`,
    attributes: {
      "messaging.system": "servicebus",
      "messaging.destination.name": queue,
      ...(plainId.test(messageId) ? { "messaging.message.id": messageId } : {}),
      ...(enqueuedAt
        ? { "messaging.servicebus.message.enqueued_time": Math.floor(enqueuedAt.getTime() / 1000) }
        : {}),
      ...(conventions === "new" ? {} : { "messaging.operation": "deliver" }),
      ...(conventions === "old"
        ? {}
        : { "messaging.operation.type": "process", "messaging.operation.name": "process" }),
    },
  }
}
