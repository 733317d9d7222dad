import type { ServiceBusClient } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import { peekPages } from "./azurePeek.ts"
import type { PeekedMessage, QueueInspector } from "./queueInspector.ts"

/** Peeks through the management link of the queue. See QueueInspector for the promise. */
export function createAzureQueueInspector(client: ServiceBusClient): QueueInspector {
  return {
    peek: async (queueName, store, limit) => {
      const receiver = client.createReceiver(
        queueName,
        store === "deadLetter" ? { subQueueType: "deadLetter" } : {},
      )
      try {
        const messages: PeekedMessage[] = []
        for await (const page of peekPages(receiver)) {
          for (const message of page) {
            messages.push({
              state: message.state,
              ...(message.enqueuedTimeUtc ? { enqueuedAt: message.enqueuedTimeUtc } : {}),
              ...(message.scheduledEnqueueTimeUtc ? { scheduledAt: message.scheduledEnqueueTimeUtc } : {}),
              ...(message.deadLetterReason === undefined
                ? {}
                : { deadLetterReason: message.deadLetterReason }),
              body: message.body as unknown,
              properties: { ...message.applicationProperties },
            })
          }
          if (messages.length > limit) return { messages: messages.slice(0, limit), complete: false }
        }
        return { messages, complete: true }
      } catch (error) {
        throw fromQueueError(error, { queue: queueName })
      } finally {
        await receiver.close().catch(() => {})
      }
    },
  }
}
