import rhea from "rhea"
import type { Typed } from "rhea"
import type { QueueEntry, QueueSettings } from "./queueEntry.ts"
import { type ApplicationProperties, withApplicationProperties } from "./storedMessage.ts"

const maxReasonLength = 4096

/** The two application properties that tell why a message was dead-lettered; absent parts are left out. */
export function deadLetterProperties(
  reason: string | undefined,
  description: string | undefined,
): ApplicationProperties {
  const properties = new Map<string, Typed>()
  const put = (key: string, text: string | undefined) => {
    if (text !== undefined) properties.set(key, rhea.types.wrap_string(text.slice(0, maxReasonLength)))
  }
  put("DeadLetterReason", reason)
  put("DeadLetterErrorDescription", description)
  return properties
}

/** Why a message is dead-lettered whose time to live is over. */
export const expired = deadLetterProperties(
  "TTLExpiredException",
  "The message expired and was dead lettered.",
)

/** Why a message is dead-lettered that was delivered `deliveries` times in vain. */
export function exhausted(deliveries: number): ApplicationProperties {
  const description = `Message could not be consumed after ${deliveries} delivery attempts.`
  return deadLetterProperties("MaxDeliveryCountExceeded", description)
}

/** What goes to the dead-letter queue for `entry`. The enqueue time stays that of the first queue. */
export function deadLetterCopy(
  { message, enqueuedAtMs, deliveryCount, sequence }: QueueEntry,
  source: string,
  properties: ApplicationProperties,
): Omit<QueueEntry, "sequence" | "lock"> {
  return {
    message: withApplicationProperties(message, properties),
    enqueuedAtMs,
    state: "active",
    deliveryCount,
    source,
    originalSequence: sequence,
  }
}

/**
 * The settings of a queue's dead-letter queue. Neither time to live nor a delivery limit holds there
 * (service-bus-dead-letter-queues.md).
 */
export function deadLetterSettings({ name, lockDurationMs }: QueueSettings): QueueSettings {
  return { name: `${name}/$DeadLetterQueue`, lockDurationMs, maxDeliveryCount: Number.POSITIVE_INFINITY }
}
