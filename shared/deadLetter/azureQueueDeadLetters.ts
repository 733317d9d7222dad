import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import { peekPages } from "../queue/azurePeek.ts"
import type { DeadLetter, MessageEnvelope, SourceName } from "./deadLetter.ts"
import type { DeadLetterReceiver, DeadLetterSource } from "./deadLetterSource.ts"
import { createSequenceSet } from "./memberSet.ts"

export interface AzureQueueDeadLettersOptions {
  readonly source: Exclude<SourceName, "event-grid">
  readonly queueName: string
  /** Its dead letters, or the queue itself. */
  readonly store: "queue" | "deadLetter"
}

/** A lock that lasts this much longer is long enough for one batch. */
const enoughLockMs = 15_000

/**
 * A queue or its dead-letter queue. Bodies are the bytes the broker has, and dates stay dates: the client would parse the
 * first and turn the second into numbers. See DeadLetterSource for the promise.
 */
export function createAzureQueueDeadLetters(
  client: ServiceBusClient,
  { source, queueName, store }: AzureQueueDeadLettersOptions,
): DeadLetterSource {
  const place = store === "deadLetter" ? `${queueName}/$DeadLetterQueue` : queueName
  const details = { queue: place }
  const createReceiver = () =>
    client.createReceiver(queueName, {
      receiveMode: "peekLock",
      skipParsingBodyAsJson: true,
      skipConvertingDate: true,
      maxAutoLockRenewalDurationInMs: 0,
      ...(store === "deadLetter" ? { subQueueType: "deadLetter" as const } : {}),
    })
  const toLetter = (message: ServiceBusReceivedMessage) => toDeadLetter(message, source, place)
  return {
    source,
    place,
    createMembers: createSequenceSet,
    async *list({ signal } = {}) {
      const receiver = createReceiver()
      try {
        for await (const page of peekPages(receiver, signal ? { signal } : {})) yield page.map(toLetter)
      } catch (error) {
        signal?.throwIfAborted()
        throw fromQueueError(error, details)
      } finally {
        await receiver.close().catch(() => {})
      }
    },
    open: () => openReceiver(createReceiver(), toLetter, details),
  }
}

function openReceiver(
  receiver: ServiceBusReceiver,
  toLetter: (message: ServiceBusReceivedMessage) => DeadLetter,
  details: Readonly<Record<string, string>>,
): DeadLetterReceiver {
  const taken = new WeakMap<DeadLetter, ServiceBusReceivedMessage>()
  const messageOf = (letter: DeadLetter): ServiceBusReceivedMessage => {
    const message = taken.get(letter)
    if (!message) throw new TypeError("The letter was not taken from here")
    return message
  }
  const surely = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work
    } catch (error) {
      throw fromQueueError(error, details)
    }
  }
  return {
    take: async (limit, { waitMs, signal }) => {
      try {
        const messages = await receiver.receiveMessages(limit, {
          maxWaitTimeInMs: waitMs,
          ...(signal ? { abortSignal: signal } : {}),
        })
        return messages.map((message) => {
          const letter = toLetter(message)
          taken.set(letter, message)
          return letter
        })
      } catch (error) {
        signal?.throwIfAborted()
        throw fromQueueError(error, details)
      }
    },
    extend: async (letter) => {
      const message = messageOf(letter)
      const leftMs = (message.lockedUntilUtc?.getTime() ?? 0) - Date.now()
      // Only the broker knows: this machine's clock may be wrong.
      if (leftMs <= enoughLockMs) await surely(receiver.renewMessageLock(message))
    },
    complete: (letter) => surely(receiver.completeMessage(messageOf(letter))),
    release: async (letters) => {
      await Promise.allSettled(letters.map((letter) => receiver.abandonMessage(messageOf(letter))))
    },
    close: () => receiver.close().catch(() => {}),
  }
}

function toDeadLetter(message: ServiceBusReceivedMessage, source: SourceName, place: string): DeadLetter {
  const { sequenceNumber, messageId, enqueuedTimeUtc, deadLetterReason, state } = message
  return {
    source,
    place,
    id: sequenceNumber?.toString() ?? "",
    ...(messageId === undefined ? {} : { messageId: String(messageId) }),
    ...(enqueuedTimeUtc ? { at: enqueuedTimeUtc } : {}),
    ...(deadLetterReason === undefined ? {} : { reason: deadLetterReason }),
    state: state === "active" ? "active" : "aside",
    body: message.body as unknown,
    envelope: toEnvelope(message),
  }
}

function toEnvelope(message: ServiceBusReceivedMessage): MessageEnvelope {
  // oxlint-disable-next-line no-underscore-dangle -- the public name of the message with all its sections.
  const { bodyType = "data", properties } = message._rawAmqpMessage
  const optional = {
    contentType: message.contentType,
    contentEncoding: properties?.contentEncoding,
    correlationId: message.correlationId,
    subject: message.subject,
    to: message.to,
    replyTo: message.replyTo,
    sessionId: message.sessionId,
    replyToSessionId: message.replyToSessionId,
    partitionKey: message.partitionKey,
  }
  const given = Object.entries(optional).filter(([, value]) => value !== undefined && value !== null)
  return {
    bodyType,
    properties: { ...message.applicationProperties },
    ...(Object.fromEntries(given) as Omit<MessageEnvelope, "bodyType" | "properties">),
  }
}
