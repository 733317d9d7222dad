import type { EventContext, Receiver } from "rhea"
import { AmqpDecodeError } from "./amqpScan.ts"
import type { EntityPath } from "./entityPath.ts"
import { checkLimits } from "./messageLimits.ts"
import type { MessageQueue } from "./messageQueue.ts"
import type { Peer } from "./peer.ts"
import { serveWithFaults } from "./playFault.ts"
import { batchFormat, receivedBytes, receiveRaw } from "./rawTransfers.ts"
import { accepted, rejected } from "./requestReply.ts"
import { decodeFailed, messageTooLarge, notAllowed, type ServiceBusError } from "./serviceErrors.ts"
import { parseBatch, parseMessage, type StoredMessage } from "./storedMessage.ts"

const creditWindow = 1000
const topUpAt = 200

/** Grants credit for as long as the link lives. */
export function keepCredit(receiver: Receiver): void {
  let used = 0
  receiver.add_credit(creditWindow)
  receiver.on("message", () => {
    used += 1
    if (used < topUpAt) return
    receiver.add_credit(used)
    used = 0
  })
}

/** Takes the messages a client sends to a queue. Each is accepted once the queue has it. */
export function serveIncomingLink(
  peer: Peer,
  receiver: Receiver,
  path: EntityPath,
  queue: MessageQueue,
): void {
  const { maxMessageBytes } = peer.broker
  receiveRaw(receiver, maxMessageBytes)
  const end = (error: ServiceBusError) => receiver.close(error)
  const recheck = () => {
    const refusal = peer.refusal(path, ["Send"])
    if (refusal) end(refusal)
  }
  const watched = { recheck, pump: () => {}, leave: () => {} }
  peer.links.add(watched)
  receiver.on("receiver_close", () => peer.links.delete(watched))

  receiver.on("message", (context: EventContext) => {
    const { delivery } = context
    if (delivery === undefined || receiver.is_itself_closed()) return
    const sizeBytes = receivedBytes(receiver)
    const refuse = (error: ServiceBusError) => delivery.update(true, rejected(error))
    const refusal = peer.refusal(path, ["Send"])
    if (refusal) {
      // The JS client waits for the outcome of the message even when its link is gone.
      refuse(refusal)
      return end(refusal)
    }
    // The raw bytes arrive in the place of the decoded message.
    const bytes: unknown = context.message
    const { format } = context as { readonly format?: number }
    const messages =
      sizeBytes > maxMessageBytes || !Buffer.isBuffer(bytes)
        ? messageTooLarge(sizeBytes, maxMessageBytes)
        : readMessages(bytes, format === batchFormat, queue)
    serveWithFaults(peer.fault("send", path.path), peer, {
      refuse,
      perform: () => {
        if ("condition" in messages) return () => refuse(messages)
        for (const message of messages) queue.enqueue(message)
        return () => delivery.update(true, accepted())
      },
    })
  })
  keepCredit(receiver)
}

function readMessages(
  bytes: Buffer,
  isBatch: boolean,
  queue: MessageQueue,
): readonly StoredMessage[] | ServiceBusError {
  // Nothing but dead-lettering puts a message there (service-bus-dead-letter-queues.md).
  if (queue.deadLetters === undefined) return notAllowed("Messages cannot be sent to a dead-letter queue.")
  try {
    const messages = isBatch ? parseBatch(bytes) : [parseMessage(bytes)]
    for (const message of messages) {
      const problem = checkLimits(message, queue.settings)
      if (problem) return problem
    }
    return messages
  } catch (error) {
    if (error instanceof AmqpDecodeError || error instanceof RangeError) return decodeFailed()
    throw error
  }
}
