import { randomUUID } from "node:crypto"
import { isCloudEvent } from "./deadLetter.ts"
import type { DeliveryFailure } from "./deliveryFailure.ts"
import type { EventObject } from "./keyVaultEvent.ts"
import type { Cancel, RelayClock } from "./relayClock.ts"

/** What Event Grid puts on the queue for one attempt. */
export interface DeliveredMessage {
  /** One bare JSON object, never an array. */
  readonly body: Buffer
  /** A GUID of the relay's own, the same in every attempt for this event and subscription. */
  readonly messageId: string
  readonly applicationProperties: Readonly<Record<string, string>>
}

/** An event on its way to the one subscription. */
export interface Delivery {
  readonly event: EventObject
  readonly body: Buffer
  readonly messageId: string
  readonly publishedAt: Date
  readonly publishedMs: number
  attempts: number
  lastAttemptAt?: Date
  lastFailure?: DeliveryFailure
  /** Takes the next planned step back. */
  cancel?: Cancel
  /** Stops waiting for the answer to the attempt under way. */
  cancelTimeout?: Cancel
}

export function newDelivery(event: EventObject, clock: RelayClock): Delivery {
  return {
    event,
    body: Buffer.from(JSON.stringify(event)),
    messageId: randomUUID(),
    publishedAt: clock.now(),
    publishedMs: clock.elapsedMs(),
    attempts: 0,
  }
}

/** The type of the event in either form; empty when it has none. */
export function eventTypeOf(event: EventObject): string {
  return textOf(event["eventType"] ?? event["type"])
}

/**
 * The message of the attempt at hand.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/handler-service-bus (message headers). That all values are
 * strings is not documented.
 */
export function messageOf(
  { event, body, messageId, attempts }: Delivery,
  subscription: string,
): DeliveredMessage {
  const isCloud = isCloudEvent(event)
  const dataVersion = isCloud ? "" : textOf(event["dataVersion"])
  return {
    body,
    messageId,
    applicationProperties: {
      "aeg-subscription-name": subscription,
      "aeg-delivery-count": String(Math.max(0, attempts - 1)),
      "aeg-event-type": "Notification",
      "aeg-metadata-version": isCloud
        ? textOf(event["specversion"])
        : textOf(event["metadataVersion"]) || "1",
      ...(dataVersion === "" ? {} : { "aeg-data-version": dataVersion }),
      "aeg-output-event-id": textOf(event["id"]),
    },
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}
