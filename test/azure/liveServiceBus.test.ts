import { ServiceBusClient } from "@azure/service-bus"
import { createAzureChangeQueue } from "../../shared/queue/azureChangeQueue.ts"
import { createAzureQueueInspector } from "../../shared/queue/azureQueueInspector.ts"
import { changeQueueSuite } from "../suites/changeQueueSuite.ts"
import { queueInspectorSuite } from "../suites/queueInspectorSuite.ts"
import { describeWith } from "../support/requiredSuite.ts"

// The suites that the local broker passes, against a broker that is not ours: the official emulator, or a namespace in
// Azure. Both queues must exist and be empty.

const connectionString = process.env["KVB_LIVE_SERVICEBUS_CONNECTION"]
const sendQueue = process.env["KVB_LIVE_SERVICEBUS_QUEUE"] ?? "kvb-live-send"
const peekQueue = process.env["KVB_LIVE_SERVICEBUS_PEEK_QUEUE"] ?? "kvb-live-peek"

const missing = connectionString ? undefined : "KVB_LIVE_SERVICEBUS_CONNECTION is not set"

describeWith("live-servicebus", missing, "a Service Bus that is not ours", () => {
  const connect = () => new ServiceBusClient(connectionString ?? "")

  changeQueueSuite({
    name: "createAzureChangeQueue",
    supports: { abort: true },
    create: async () => {
      const client = connect()
      const receiver = client.createReceiver(sendQueue, {
        receiveMode: "receiveAndDelete",
        skipParsingBodyAsJson: true,
      })
      return {
        queue: createAzureChangeQueue(client, sendQueue),
        receive: async () => {
          const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 1000 })
          return messages.map(({ body, messageId, contentType, applicationProperties = {} }) => ({
            body: body as Uint8Array,
            messageId: String(messageId),
            ...(contentType === undefined ? {} : { contentType }),
            properties: applicationProperties,
          }))
        },
        stop: () => client.close(),
      }
    },
  })

  queueInspectorSuite({
    name: "createAzureQueueInspector",
    create: async () => {
      const client = connect()
      const receiver = client.createReceiver(peekQueue)
      return {
        inspector: createAzureQueueInspector(client),
        queueName: peekQueue,
        queue: createAzureChangeQueue(client, peekQueue),
        deadLetter: async (messageId, reason) => {
          for (const message of await receiver.receiveMessages(10, { maxWaitTimeInMs: 1000 })) {
            if (message.messageId === messageId) {
              await receiver.deadLetterMessage(message, {
                deadLetterReason: reason,
                deadLetterErrorDescription: "",
              })
            } else await receiver.abandonMessage(message)
          }
        },
        stop: () => client.close(),
      }
    },
  })
})
