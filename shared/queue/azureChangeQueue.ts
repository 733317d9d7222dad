import type { ServiceBusClient, ServiceBusSender } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import type { ChangeQueue } from "./changeQueue.ts"

/** Sends to one queue of `client`. The link is opened by the first send and kept. See ChangeQueue for the promise. */
export function createAzureChangeQueue(client: ServiceBusClient, queueName: string): ChangeQueue {
  let sender: ServiceBusSender | undefined
  return {
    send: async ({ body, messageId, contentType, properties, scheduledAt }, { signal } = {}) => {
      try {
        sender ??= client.createSender(queueName)
        await sender.sendMessages(
          {
            body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
            messageId,
            ...(contentType === undefined ? {} : { contentType }),
            applicationProperties: { ...properties },
            ...(scheduledAt ? { scheduledEnqueueTimeUtc: scheduledAt } : {}),
          },
          signal ? { abortSignal: signal } : {},
        )
      } catch (error) {
        throw fromQueueError(error, { queue: queueName })
      }
    },
  }
}
