import type { ServiceBusClient, ServiceBusMessageBatch, ServiceBusSender } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import type { CopySender } from "./copySender.ts"
import type { MessageCopy } from "./messageCopy.ts"

export interface AzureCopySenderOptions {
  /** Names of the two queues. */
  readonly changes: string
  readonly quarantine: string
}

/** What the client takes to send a message with every section as it should be. */
type AmqpMessage = Parameters<ServiceBusMessageBatch["tryAddMessage"]>[0]

/** Sends in as few transfers as the size of messages allows. See CopySender for the promise. */
export function createAzureCopySender(client: ServiceBusClient, names: AzureCopySenderOptions): CopySender {
  const senders = new Map<string, ServiceBusSender>()
  const senderOf = (queueName: string) => {
    const sender = senders.get(queueName) ?? client.createSender(queueName)
    senders.set(queueName, sender)
    return sender
  }
  return {
    send: async (copies, { signal } = {}) => {
      const refused = new Set<string>()
      for (const queue of ["changes", "quarantine"] as const) {
        const wanted = copies.filter((copy) => copy.queue === queue)
        if (wanted.length === 0) continue
        try {
          await sendAll(senderOf(names[queue]), wanted, refused, signal ? { abortSignal: signal } : {})
        } catch (error) {
          throw fromQueueError(error, { queue: names[queue] })
        }
      }
      return refused
    },
  }
}

async function sendAll(
  sender: ServiceBusSender,
  copies: readonly MessageCopy[],
  refused: Set<string>,
  options: { readonly abortSignal?: AbortSignal },
): Promise<void> {
  let batch = await sender.createMessageBatch(options)
  for (const copy of copies) {
    const message = toAmqpMessage(copy)
    if (batch.tryAddMessage(message)) continue
    if (batch.count > 0) {
      await sender.sendMessages(batch, options)
      batch = await sender.createMessageBatch(options)
      if (batch.tryAddMessage(message)) continue
    }
    if (!(await sendAlone(sender, message, options))) refused.add(copy.messageId)
  }
  if (batch.count > 0) await sender.sendMessages(batch, options)
}

/** What is too large for a batch may still be small enough for a message. @returns false when it is not. */
async function sendAlone(
  sender: ServiceBusSender,
  message: AmqpMessage,
  options: { readonly abortSignal?: AbortSignal },
): Promise<boolean> {
  try {
    await sender.sendMessages(message, options)
    return true
  } catch (error) {
    const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined
    if (code === "MessageSizeExceeded") return false
    throw error
  }
}

function toAmqpMessage({ messageId, body, envelope }: MessageCopy): AmqpMessage {
  const { bodyType, properties, partitionKey, sessionId, replyToSessionId, ...rest } = envelope
  return {
    body,
    bodyType,
    applicationProperties: { ...properties },
    properties: {
      ...rest,
      messageId,
      ...(sessionId === undefined ? {} : { groupId: sessionId }),
      ...(replyToSessionId === undefined ? {} : { replyToGroupId: replyToSessionId }),
    },
    ...(partitionKey === undefined ? {} : { messageAnnotations: { "x-opt-partition-key": partitionKey } }),
  }
}
