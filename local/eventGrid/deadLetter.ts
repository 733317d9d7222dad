import type { DeliveryFailure } from "./deliveryFailure.ts"
import type { EventObject } from "./keyVaultEvent.ts"
import { sevenDigitTime } from "./sevenDigitTime.ts"

/** An event that could not be delivered, and how that went. */
export interface DeadLetter {
  readonly event: EventObject
  readonly reason: string
  readonly attempts: number
  readonly publishedAt: Date
  /** Absent when no attempt was made. */
  readonly lastAttemptAt?: Date
  readonly lastFailure?: DeliveryFailure
}

/** Is the event in CloudEvents form? */
export function isCloudEvent(event: EventObject): boolean {
  return typeof event["specversion"] === "string"
}

/**
 * The event with the members Event Grid adds to a dead letter: in camel case for its own schema, all in lower
 * case for CloudEvents, whose attribute names know no capitals.
 */
export function deadLetterObject(letter: DeadLetter): EventObject {
  const { event, reason, attempts, publishedAt, lastAttemptAt, lastFailure } = letter
  const added: Record<string, unknown> = {
    deadLetterReason: reason,
    deliveryAttempts: attempts,
    lastDeliveryOutcome: lastFailure?.outcome,
    lastHttpStatusCode: lastFailure?.httpStatus,
    publishTime: sevenDigitTime(publishedAt),
    lastDeliveryAttemptTime: lastAttemptAt && sevenDigitTime(lastAttemptAt),
  }
  if (!isCloudEvent(event)) return { ...event, ...added }
  const { lastHttpStatusCode: _notSentInThisForm, ...rest } = added
  return {
    ...event,
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key.toLowerCase(), value])),
  }
}

/**
 * Where in the dead-letter container a blob of dead letters lies: `SUBSCRIPTION/YYYY/M/D/H/GUID.json`, in UTC and
 * without leading zeros.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/manage-event-delivery
 */
export function deadLetterPath(subscription: string, at: Date, guid: string): string {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()]
  return `${subscription.toUpperCase()}/${year}/${month}/${day}/${at.getUTCHours()}/${guid}.json`
}
