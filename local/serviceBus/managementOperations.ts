import rhea from "rhea"
import type { Typed } from "rhea"
import { AmqpDecodeError } from "./amqpScan.ts"
import { toTyped } from "./amqpValue.ts"
import { deadLetterProperties } from "./deadLetter.ts"
import { encodeDelivery, factsOf } from "./encodeDelivery.ts"
import { fromUuidBytes, type LockToken, newLockToken, toUuidBytes } from "./lockToken.ts"
import { checkLimits } from "./messageLimits.ts"
import type { MessageQueue } from "./messageQueue.ts"
import type { QueueEntry } from "./queueEntry.ts"
import {
  type Claim,
  decodeFailed,
  lockLost,
  messageNotFound,
  notAllowed,
  type ServiceBusError,
} from "./serviceErrors.ts"
import type { Settlement } from "./settlement.ts"
import { parseMessage } from "./storedMessage.ts"

/** What a management request is answered with; 204 has no body. */
export interface ManagementAnswer {
  readonly status: 200 | 204
  readonly body?: unknown
}

/** One management operation of a queue. The body is what rhea decoded: nothing in it can be relied on. */
export interface ManagementOperation {
  readonly claim: Claim
  run(queue: MessageQueue, body: unknown): ManagementAnswer | ServiceBusError
}

type Fields = Readonly<Record<string, unknown>>

const timestampCode = 0x83
const longCode = 0x81
const maxPeeked = 250
const { types } = rhea

/** The operations that make sense on a queue without sessions, by name without the prefix `com.microsoft:`. */
export const managementOperations: ReadonlyMap<string, ManagementOperation> = new Map([
  ["peek-message", operation("Listen", peek)],
  ["renew-lock", operation("Listen", renewLock)],
  ["schedule-message", operation("Send", schedule)],
  ["cancel-scheduled-message", operation("Send", cancelScheduled)],
  ["receive-by-sequence-number", operation("Listen", receiveBySequenceNumber)],
  ["update-disposition", operation("Listen", updateDisposition)],
])

function operation(
  claim: Claim,
  run: (queue: MessageQueue, fields: Fields) => ManagementAnswer | ServiceBusError,
): ManagementOperation {
  return {
    claim,
    run: (queue, body) => {
      try {
        return run(queue, asFields(body))
      } catch (error) {
        if (error instanceof AmqpDecodeError || error instanceof RangeError) return decodeFailed()
        throw error
      }
    },
  }
}

function peek(queue: MessageQueue, fields: Fields): ManagementAnswer {
  const count = Math.min(toNumber(fields["message-count"]), maxPeeked)
  const messages = queue
    .peek(toNumber(fields["from-sequence-number"]), count)
    .map((entry) => types.wrap_map({ message: types.wrap_binary(encodePeeked(entry)) }))
  return messages.length > 0
    ? { status: 200, body: { messages: types.wrap_list(messages) } }
    : { status: 204 }
}

/** A peeked message tells nothing of its lock. */
function encodePeeked(entry: QueueEntry): Buffer {
  const { lockedUntilMs: _, ...facts } = factsOf(entry)
  return encodeDelivery(entry.message, facts)
}

function renewLock(queue: MessageQueue, fields: Fields): ManagementAnswer | ServiceBusError {
  const expirations: number[] = []
  for (const token of lockTokens(fields)) {
    const untilMs = queue.renew(token)
    if (untilMs === undefined) return lockLost()
    expirations.push(untilMs)
  }
  return { status: 200, body: { expirations: types.wrap_array(expirations, timestampCode, undefined) } }
}

function schedule(queue: MessageQueue, fields: Fields): ManagementAnswer | ServiceBusError {
  if (queue.deadLetters === undefined) return notAllowed("Messages cannot be sent to a dead-letter queue.")
  const messages = asList(fields["messages"]).map((item) => parseMessage(toBytes(asFields(item)["message"])))
  for (const message of messages) {
    const problem = checkLimits(message, queue.settings)
    if (problem) return problem
  }
  // A duplicate is dropped in silence, and has no number of its own.
  const sequences = messages.map((message) => queue.enqueue(message) ?? 0)
  return { status: 200, body: { "sequence-numbers": types.wrap_array(sequences, longCode, undefined) } }
}

function cancelScheduled(queue: MessageQueue, fields: Fields): ManagementAnswer | ServiceBusError {
  const isCancelled = queue.cancelScheduled(sequenceNumbers(fields))
  return isCancelled ? { status: 200, body: {} } : messageNotFound("The scheduled message does not exist.")
}

function receiveBySequenceNumber(queue: MessageQueue, fields: Fields): ManagementAnswer | ServiceBusError {
  const isDestructive = toNumber(fields["receiver-settle-mode"]) === 0
  const entries = queue.receiveDeferred(sequenceNumbers(fields), isDestructive)
  if (entries === undefined) {
    return messageNotFound("Failed to lock one or more specified messages. The message does not exist.")
  }
  const messages = entries.map((entry) =>
    types.wrap_map({
      message: types.wrap_binary(encodeDelivery(entry.message, factsOf(entry))),
      "lock-token": types.wrap_uuid(toUuidBytes(entry.lock?.token ?? newLockToken())),
    }),
  )
  return { status: 200, body: { messages: types.wrap_list(messages) } }
}

/** The clients settle this way what they received by number, and what they could not settle on the link. */
function updateDisposition(queue: MessageQueue, fields: Fields): ManagementAnswer | ServiceBusError {
  const settlement = readDisposition(fields)
  if (settlement === undefined) return notAllowed("Unknown disposition status.")
  for (const token of lockTokens(fields)) {
    const result = queue.settle(token, settlement)
    if (result === "lockLost") return lockLost()
    if (result === "notAllowed") return notAllowed("A dead letter cannot be dead-lettered again.")
  }
  return { status: 200, body: {} }
}

function readDisposition(fields: Fields): Settlement | undefined {
  const properties = new Map<string, Typed>()
  for (const [key, value] of Object.entries(asFields(fields["properties-to-modify"]))) {
    properties.set(key, toTyped(value))
  }
  switch (fields["disposition-status"]) {
    case "completed":
      return { outcome: "complete" }
    case "abandoned":
      return { outcome: "abandon", properties }
    // The clients do spell it so.
    case "defered":
      return { outcome: "defer", properties }
    case "suspended": {
      const reason = asText(fields["deadletter-reason"])
      const description = asText(fields["deadletter-description"])
      return {
        outcome: "deadLetter",
        properties: new Map([...properties, ...deadLetterProperties(reason, description)]),
      }
    }
    default:
      return undefined
  }
}

function lockTokens(fields: Fields): LockToken[] {
  return asList(fields["lock-tokens"]).map((token) => fromUuidBytes(toBytes(token)))
}

function sequenceNumbers(fields: Fields): number[] {
  return asList(fields["sequence-numbers"]).map(toNumber)
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}

/** Whole numbers arrive as numbers, or as the eight bytes of a long. */
function toNumber(value: unknown): number {
  return Buffer.isBuffer(value) && value.length === 8 ? Number(value.readBigInt64BE()) : Number(value)
}

/** Binary values arrive as bytes, or as a section that holds them. */
function toBytes(value: unknown): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : asFields(value)["content"]
  if (!Buffer.isBuffer(bytes)) throw new AmqpDecodeError("expected binary")
  return bytes
}
