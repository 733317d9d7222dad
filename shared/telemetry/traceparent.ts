import { isSpanContextValid, type SpanContext } from "@opentelemetry/api"

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * A W3C `traceparent` as the context of a span elsewhere; `undefined` for anything else. What came in a message is
 * whatever its sender wrote.
 *
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  if (typeof text !== "string" || text.length > 128) return undefined
  const [, version, traceId = "", spanId = "", flags = "00", more] = pattern.exec(text) ?? []
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(context) ? context : undefined
}

/** The context as a `traceparent`; `undefined` when it names no trace, as without telemetry. */
export function formatTraceparent(context: SpanContext): string | undefined {
  if (!isSpanContextValid(context)) return undefined
  return `00-${context.traceId}-${context.spanId}-${(context.traceFlags & 1).toString().padStart(2, "0")}`
}
