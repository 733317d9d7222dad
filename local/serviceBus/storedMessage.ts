import { randomUUID } from "node:crypto"
import rhea from "rhea"
import type { Typed } from "rhea"
import {
  AmqpDecodeError,
  readMessageId,
  readText,
  readTimestamp,
  readUint,
  scanElements,
  scanSections,
  type SectionRange,
} from "./amqpScan.ts"
import { readElements, typedMap, writeDescribed } from "./amqpValue.ts"

/** The descriptor codes of the message sections (OASIS AMQP 1.0 part 3, section 3.2). */
const sectionCode = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
} as const

const messageIdField = 0
const groupIdField = 10
const ttlField = 2

/** Annotations that are the broker's to write; what a sender puts there is dropped. */
const brokerAnnotations: ReadonlySet<string> = new Set([
  "x-opt-sequence-number",
  "x-opt-enqueued-time",
  "x-opt-enqueue-sequence-number",
  "x-opt-locked-until",
  "x-opt-message-state",
  "x-opt-deadletter-source",
])

/** Application properties to be added, each with its type. */
export type ApplicationProperties = ReadonlyMap<string, Typed>

/** One annotation as the sender encoded it: key and value in one piece. */
export interface RawAnnotation {
  readonly key: string
  readonly bytes: Buffer
}

/**
 * A message as the broker keeps it. Properties, application properties and body are the sender's bytes, untouched:
 * decoding and encoding again would change the types of numbers and ids.
 */
export interface StoredMessage {
  /** The message id as text, whatever its type on the wire. */
  readonly messageId: string
  readonly sessionId: string | undefined
  readonly ttlMs: number | undefined
  /** When the sender wants it delivered, milliseconds since 1970. */
  readonly scheduledAtMs: number | undefined
  readonly annotations: readonly RawAnnotation[]
  /** Whole sections, descriptor included. */
  readonly properties: Buffer
  readonly applicationProperties: Buffer | undefined
  readonly body: Buffer
}

/**
 * Reads one encoded message. A message without an id gets one, as the service does; the JS client cannot renew the
 * lock of a message that has none.
 *
 * @throws AmqpDecodeError when the bytes are no AMQP message.
 */
export function parseMessage(bytes: Buffer): StoredMessage {
  const body: Buffer[] = []
  let ttlMs: number | undefined
  let annotations: readonly RawAnnotation[] = []
  let scheduledAtMs: number | undefined
  let properties: Buffer | undefined
  let ids: { messageId?: string; sessionId?: string } = {}
  let applicationProperties: Buffer | undefined
  for (const section of scanSections(bytes)) {
    const raw = bytes.subarray(section.from, section.to)
    switch (section.code) {
      case sectionCode.header:
        ttlMs = readTtl(bytes, section)
        break
      case sectionCode.deliveryAnnotations:
        break
      case sectionCode.messageAnnotations:
        ;({ annotations, scheduledAtMs } = readAnnotations(bytes, section))
        break
      case sectionCode.properties:
        properties = raw
        ids = readIds(bytes, section)
        break
      case sectionCode.applicationProperties:
        applicationProperties = raw
        break
      default:
        body.push(raw)
    }
  }
  const messageId = ids.messageId ?? randomUUID().replaceAll("-", "")
  return {
    messageId,
    sessionId: ids.sessionId,
    ttlMs,
    scheduledAtMs,
    annotations,
    properties:
      properties !== undefined && ids.messageId !== undefined
        ? properties
        : withMessageId(properties, messageId),
    applicationProperties,
    body: body.length === 1 && body[0] ? body[0] : Buffer.concat(body),
  }
}

/** The messages of one batch transfer (message format 0x80013700): each data section holds one encoded message. */
export function parseBatch(bytes: Buffer): StoredMessage[] {
  const items = scanSections(bytes).filter(({ code }) => code === sectionCode.data)
  if (items.length === 0) throw new AmqpDecodeError("the batch holds no message")
  return items.map(({ valueAt, to }) => {
    const isWide = bytes[valueAt] === 0xb0
    if (!isWide && bytes[valueAt] !== 0xa0) throw new AmqpDecodeError("a data section holds no binary value")
    return parseMessage(bytes.subarray(valueAt + (isWide ? 5 : 2), to))
  })
}

function readTtl(bytes: Buffer, { valueAt }: SectionRange): number | undefined {
  const ttl = scanElements(bytes, valueAt)[ttlField]
  return ttl ? readUint(bytes, ttl.from) : undefined
}

function readIds(bytes: Buffer, { valueAt }: SectionRange): { messageId?: string; sessionId?: string } {
  const fields = scanElements(bytes, valueAt)
  const messageId = fields[messageIdField]
  const groupId = fields[groupIdField]
  const id = messageId ? readMessageId(bytes, messageId.from) : undefined
  const session = groupId ? readText(bytes, groupId.from) : undefined
  return {
    ...(id === undefined ? {} : { messageId: id }),
    ...(session === undefined ? {} : { sessionId: session }),
  }
}

function readAnnotations(
  bytes: Buffer,
  { valueAt }: SectionRange,
): { annotations: RawAnnotation[]; scheduledAtMs: number | undefined } {
  const elements = scanElements(bytes, valueAt)
  const annotations: RawAnnotation[] = []
  let scheduledAtMs: number | undefined
  for (let at = 0; at + 1 < elements.length; at += 2) {
    const from = elements[at]?.from ?? 0
    const value = elements[at + 1]
    if (value === undefined) break
    const key = readText(bytes, from)
    if (key === undefined || brokerAnnotations.has(key)) continue
    if (key === "x-opt-scheduled-enqueue-time") scheduledAtMs = readTimestamp(bytes, value.from)
    annotations.push({ key, bytes: bytes.subarray(from, value.to) })
  }
  return { annotations, scheduledAtMs }
}

function withMessageId(properties: Buffer | undefined, messageId: string): Buffer {
  const fields = properties ? [...readElements(properties)] : []
  fields[messageIdField] = rhea.types.wrap_string(messageId)
  return writeDescribed(sectionCode.properties, rhea.types.wrap_list(fields))
}

/** The message with these application properties added or replaced; every value keeps its type. */
export function withApplicationProperties(
  message: StoredMessage,
  added: ApplicationProperties,
): StoredMessage {
  if (added.size === 0) return message
  const before = message.applicationProperties ? readElements(message.applicationProperties) : []
  const merged = new Map([...typedMap(rhea.types.wrap_list([...before])), ...added])
  const section = rhea.types.wrap_map(Object.fromEntries(merged))
  return { ...message, applicationProperties: writeDescribed(sectionCode.applicationProperties, section) }
}
