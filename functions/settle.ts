import { randomUUID } from "node:crypto"
import type { Outcome } from "../shared/backup/outcome.ts"
import { nextRetryDelayMs, type RetrySettings } from "../shared/backup/retrySchedule.ts"
import type { Change } from "../shared/change/change.ts"
import { formatChangeMessage } from "../shared/change/changeMessage.ts"
import type { Clock } from "../shared/clock.ts"
import { describeError, type ErrorCode, type ServiceError, toServiceError } from "../shared/errors.ts"
import { errorFields, type Log } from "../shared/log.ts"
import type { ChangeQueue, OutgoingMessage } from "../shared/queue/changeQueue.ts"
import { formatLineage, type MessageLineage } from "../shared/queue/messageLineage.ts"
import type { Telemetry } from "../shared/telemetry/telemetry.ts"
import type { TriggerMessage } from "./triggerMessage.ts"

export interface SettleDependencies {
  readonly changes: ChangeQueue
  readonly quarantine: ChangeQueue
  readonly retry: RetrySettings
  readonly clock: Clock
  readonly log: Log
  readonly telemetry: Telemetry
  /** A number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
}

/** What became of one item of a message; items that made no change have no `change`. */
export interface SettledItem {
  readonly change?: Change
  readonly outcome: Outcome
}

/** Properties of a copy that are neither Event Grid's nor ours. */
type CarriedProperties = Readonly<Record<string, string>>

/** How long a message may wait for its copy to be sent, counted from its delivery. */
const sendPatienceMs = 240_000
const sendFirstDelayMs = 1000
const sendMaxDelayMs = 15_000

/**
 * Turns outcomes into settlement. Returning completes the message, throwing abandons it; the binding knows no
 * more. Whatever still has to happen is sent first: a scheduled copy of each deferred change, and the message
 * itself to quarantine when one of its items is poison.
 *
 * A crash after a send leaves copy and message; the store makes them one.
 *
 * @param traceparent - the trace that copies carry on.
 * @throws ServiceError ERR_EVENT_LOSSY, so that the broker keeps the true bytes; or the queue's error when a copy
 * could not be sent for four minutes.
 */
export async function settle(
  message: TriggerMessage,
  items: readonly SettledItem[],
  dependencies: SettleDependencies,
  traceparent?: string,
): Promise<void> {
  const carried = traceparent === undefined ? {} : { traceparent }
  const poison = items.flatMap(({ outcome }) => (outcome.outcome === "poison" ? [outcome.error] : []))
  const lossy = poison.find(({ code }) => describeError(code).disposition === "throw")
  if (lossy) throw lossy
  for (const { change, outcome } of items) {
    if (change && outcome.outcome === "deferred")
      await defer(message, change, outcome.error, dependencies, carried)
  }
  const [first] = poison
  if (first) {
    await sendToQuarantine(message, textOf(message.body), message.lineage, first, dependencies, carried)
  }
}

async function defer(
  message: TriggerMessage,
  change: Change,
  error: ServiceError,
  dependencies: SettleDependencies,
  carried: CarriedProperties,
): Promise<void> {
  const { clock, retry, log, telemetry, random = Math.random } = dependencies
  const now = clock.now()
  const since = message.lineage.retrySince ?? message.enqueuedAt ?? message.receivedAt
  const failed = message.lineage.attempt
  const delayMs = nextRetryDelayMs(failed, retry, random(), error.retryAfterMs)
  const next = new Date(now.getTime() + delayMs)
  const lineage = { ...message.lineage, origin: change.origin, retrySince: since, attempt: failed + 1 }
  const body = formatChangeMessage(change)
  if (next.getTime() > since.getTime() + retry.maxAgeMs) {
    await sendToQuarantine(message, body, lineage, error, dependencies, carried)
    return
  }
  await sendSurely(
    dependencies.changes,
    { ...copyOf(message, body, lineage, error.code, carried), scheduledAt: next },
    message,
    dependencies,
  )
  telemetry.deferred(error.code, next.getTime() - now.getTime())
  log.warn("change.deferred", {
    ...errorFields(error),
    attempt: failed + 1,
    nextAt: next.toISOString(),
    messageId: message.messageId,
  })
}

async function sendToQuarantine(
  message: TriggerMessage,
  body: string | Uint8Array,
  lineage: MessageLineage,
  error: ServiceError,
  dependencies: SettleDependencies,
  carried: CarriedProperties,
): Promise<void> {
  const copy = copyOf(message, body, lineage, error.code, carried)
  await sendSurely(dependencies.quarantine, copy, message, dependencies)
  dependencies.telemetry.quarantined(error.code)
  dependencies.log.error("message.quarantined", { ...errorFields(error), messageId: message.messageId })
}

function copyOf(
  message: TriggerMessage,
  body: string | Uint8Array,
  lineage: MessageLineage,
  code: ErrorCode,
  carried: CarriedProperties,
): OutgoingMessage {
  const firstEnqueuedAt = lineage.firstEnqueuedAt ?? message.enqueuedAt
  const originalId = lineage.originalId ?? message.messageId
  return {
    body,
    messageId: randomUUID(),
    contentType: "application/json",
    properties: {
      ...message.eventGridProperties,
      ...carried,
      ...formatLineage({
        ...lineage,
        ...(originalId === "" ? {} : { originalId }),
        ...(firstEnqueuedAt ? { firstEnqueuedAt } : {}),
        firstCode: lineage.firstCode ?? code,
        lastCode: code,
      }),
    },
  }
}

async function sendSurely(
  queue: ChangeQueue,
  copy: OutgoingMessage,
  message: TriggerMessage,
  { clock, log }: SettleDependencies,
): Promise<void> {
  const deadline = message.receivedAt.getTime() + sendPatienceMs
  for (let delayMs = sendFirstDelayMs; ; delayMs = Math.min(delayMs * 2, sendMaxDelayMs)) {
    try {
      return await queue.send(copy)
    } catch (thrown) {
      const error = toServiceError(thrown)
      log.warn("message.copyNotSent", { ...errorFields(error), messageId: message.messageId })
      if (clock.now().getTime() + delayMs > deadline) throw error
      await clock.sleep(delayMs)
    }
  }
}

/**
 * The text the function got, or the JSON of the value that the library parsed: equal as JSON, not by byte. Text that is
 * JSON itself was the content of a JSON string, or the library would have parsed it.
 */
function textOf(body: unknown): string | Uint8Array {
  if (body instanceof Uint8Array || (typeof body === "string" && !isJson(body))) return body
  return JSON.stringify(body) ?? ""
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
