import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api"
import type { BackupObserver, BackupStage } from "../backup/backupObserver.ts"
import type { Outcome } from "../backup/outcome.ts"
import type { Change, Origin } from "../change/change.ts"
import { toServiceError } from "../errors.ts"
import type { LedgerEntry } from "../store/ledgerEntry.ts"
import {
  describeProcessing,
  type MessagingConventions,
  type ProcessedMessage,
} from "./messagingConventions.ts"
import { formatTraceparent } from "./traceparent.ts"
import type { WorkMetrics } from "./workMetrics.ts"

/** The message with what its sender and the host said of the trace it belongs to. */
export interface TracedMessage extends ProcessedMessage {
  /** From the message itself. It makes the copies of a deferred change one trace. */
  readonly sender?: SpanContext
  /** The host's own span of this invocation. */
  readonly host?: SpanContext
}

/** One change of a message under observation. */
export interface ChangeTrace extends BackupObserver {
  /** Says what became of it. To be called once. */
  readonly end: (outcome: Outcome) => void
}

/** One message under observation. */
export interface MessageTrace {
  /** To be written on copies of the message; absent without telemetry and without a trace of the sender's. */
  readonly traceparent: string | undefined
  readonly startChange: (change: Change) => ChangeTrace
  /** Counts an item that asks for no backup: skipped, or poison. */
  readonly countItem: (outcome: Outcome) => void
  /** @param thrown - what the handler is about to throw. To be called once. */
  readonly end: (thrown?: unknown) => void
}

const kindOf: Readonly<Record<BackupStage, SpanKind>> = {
  read: SpanKind.CLIENT,
  seal: SpanKind.INTERNAL,
  put: SpanKind.CLIENT,
}

/**
 * Starts the span of a message: the parent is the sender's span, so that event, attempts and blob are one trace, else
 * the host's; where both are known the host's is linked. Contexts are handed on by hand, which needs no context manager.
 */
export function startMessageTrace(
  tracer: Tracer,
  metrics: WorkMetrics,
  conventions: MessagingConventions,
  message: TracedMessage,
): MessageTrace {
  const { sender, host } = message
  const parent = sender ?? host
  const { name, attributes } = describeProcessing(conventions, message)
  const isElsewhere = sender && host && sender.traceId !== host.traceId
  const span = tracer.startSpan(
    name,
    {
      kind: SpanKind.CONSUMER,
      attributes,
      ...(isElsewhere ? { links: [{ context: host }] } : {}),
    },
    parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
  )
  const context = trace.setSpan(ROOT_CONTEXT, span)
  return {
    // Without telemetry the span is its parent, which is the host's where the sender named none.
    traceparent: span.isRecording()
      ? formatTraceparent(span.spanContext())
      : sender && formatTraceparent(sender),
    startChange: (change) => startChangeTrace(tracer, metrics, context, change),
    countItem: (outcome) => {
      metrics.countOutcome(outcome, undefined)
    },
    end: (thrown) => {
      if (thrown !== undefined) fail(span, toServiceError(thrown).code)
      span.end()
    },
  }
}

function startChangeTrace(
  tracer: Tracer,
  metrics: WorkMetrics,
  parent: Context,
  { object, origin: knownOrigin }: Change,
): ChangeTrace {
  const span = tracer.startSpan("back up version", {}, parent)
  const context = trace.setSpan(ROOT_CONTEXT, span)
  let origin: Origin = knownOrigin
  return {
    observe: async (stage, work) => {
      const attributes: Attributes = { "kvbackup.stage": stage }
      const options = { kind: kindOf[stage], attributes }
      const child = tracer.startSpan(stage, options, context)
      const startedAt = performance.now()
      try {
        const result = await work()
        metrics.timeStage(stage, performance.now() - startedAt, undefined)
        return result
      } catch (thrown) {
        const { code } = toServiceError(thrown)
        metrics.timeStage(stage, performance.now() - startedAt, code)
        fail(child, code)
        throw thrown
      } finally {
        child.end()
      }
    },
    put: (entry: LedgerEntry, outcome) => {
      // Restored versions are told by a tag that only the reading shows.
      origin = entry.origin
      if (outcome === "stored") metrics.timeChange(entry, object.host)
    },
    end: (outcome) => {
      metrics.countOutcome(outcome, { host: object.host, origin })
      if (span.isRecording()) {
        span.setAttributes({
          "kvbackup.outcome": outcome.outcome,
          "kvbackup.origin": origin,
          "kvbackup.vault": object.host,
          "kvbackup.kind": object.kind,
          "kvbackup.version": object.version,
        })
        if ("error" in outcome) fail(span, outcome.error.code)
      }
      span.end()
    },
  }
}

/** By the code alone: the message of an error may quote what came from elsewhere. */
function fail(span: Span, code: string): void {
  span.setAttribute("error.type", code)
  span.setStatus({ code: SpanStatusCode.ERROR })
}
