import { scanElements } from "./amqpScan.ts"
import type { QueueSettings } from "./queueEntry.ts"
import { propertiesTooLarge, type ServiceBusError, sessionIdMissing } from "./serviceErrors.ts"
import type { StoredMessage } from "./storedMessage.ts"

/** Limits of the service (service-bus-quotas-table.md): one property, and all headers of a message. */
const maxPropertyBytes = 32 * 1024
const maxHeaderBytes = 64 * 1024
/** `00 53 74`: where the map begins in a section of application properties. */
const mapAt = 3

/** Why the service would refuse the message; undefined when it takes it. */
export function checkLimits(message: StoredMessage, settings: QueueSettings): ServiceBusError | undefined {
  if (settings.requiresSession && message.sessionId === undefined) return sessionIdMissing()
  const { properties, applicationProperties, annotations } = message
  let headerBytes = properties.length + (applicationProperties?.length ?? 0)
  for (const { bytes } of annotations) headerBytes += bytes.length
  if (headerBytes > maxHeaderBytes) return propertiesTooLarge()
  if (applicationProperties === undefined || applicationProperties.length <= maxPropertyBytes)
    return undefined
  const elements = scanElements(applicationProperties, mapAt)
  const isTooLarge = elements.some(({ from, to }) => to - from > maxPropertyBytes)
  return isTooLarge ? propertiesTooLarge() : undefined
}
