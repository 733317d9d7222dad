import type { ServiceBusClient, ServiceBusReceivedMessage } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import type { PeekedMessage, QueueInspector } from "./queueInspector.ts"

const pageSize = 250

type SequenceNumber = NonNullable<ServiceBusReceivedMessage["sequenceNumber"]>

/**
 * Where every queue begins. A client goes on where its last peek of a queue ended unless it is told where to begin
 * (`_lastPeekedSequenceNumber` in @azure/service-bus 7.9), and the number's class comes with a message only.
 */
let beginning: SequenceNumber | undefined

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
        let from = beginning
        while (messages.length <= limit) {
          const page = await receiver.peekMessages(pageSize, from ? { fromSequenceNumber: from } : {})
          const last = page.at(-1)?.sequenceNumber
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
          if (page.length === 0 || last === undefined) return { messages, complete: true }
          beginning ??= last.sub(last)
          from = last.add(1)
        }
        return { messages: messages.slice(0, limit), complete: false }
      } catch (error) {
        throw fromQueueError(error, { queue: queueName })
      } finally {
        await receiver.close().catch(() => {})
      }
    },
  }
}
