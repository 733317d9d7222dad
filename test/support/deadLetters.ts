import type { ServiceBusMessage, ServiceBusReceivedMessage } from "@azure/service-bus"
import { BlobServiceClient } from "@azure/storage-blob"
import type { Journey } from "./startJourney.ts"

/**
 * Dead-letters all that waits in the queue of changes; nobody else must take from it.
 *
 * @param reasonOf - one reason, or that of each message.
 * @returns how many.
 */
export async function deadLetterAll(
  { serviceBus, cloud }: Journey,
  reasonOf: string | ((message: ServiceBusReceivedMessage) => string),
): Promise<number> {
  const receiver = serviceBus.createReceiver(cloud.file.serviceBus.queue)
  let count = 0
  for (;;) {
    const messages = await receiver.receiveMessages(200, { maxWaitTimeInMs: 500 })
    if (messages.length === 0) break
    await Promise.all(
      messages.map((message) =>
        receiver.deadLetterMessage(message, {
          deadLetterReason: typeof reasonOf === "string" ? reasonOf : reasonOf(message),
          deadLetterErrorDescription: "by a test",
        }),
      ),
    )
    count += messages.length
  }
  await receiver.close()
  return count
}

/** Sends messages to the queue of changes as anybody with the right may. */
export async function sendChanges(
  { serviceBus, cloud }: Journey,
  messages: ServiceBusMessage[],
): Promise<void> {
  const sender = serviceBus.createSender(cloud.file.serviceBus.queue)
  for (let from = 0; from < messages.length; from += 100) {
    await sender.sendMessages(messages.slice(from, from + 100))
  }
  await sender.close()
}

/** Writes a blob of dead letters as Event Grid does. @returns its name. */
export async function writeDeadLetterBlob({ cloud }: Journey, body: string, name: string): Promise<string> {
  const token = await cloud.authority.issue("eventgrid", "blob")
  const { url, deadLetterContainer } = cloud.file.blob
  const service = new BlobServiceClient(url, {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }),
  })
  const path = `KEYVAULT-CHANGES/2026/3/1/10/${name}.json`
  await service
    .getContainerClient(deadLetterContainer)
    .getBlockBlobClient(path)
    .upload(body, Buffer.byteLength(body))
  return path
}
