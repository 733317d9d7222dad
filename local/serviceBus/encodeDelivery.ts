import type { QueueEntry } from "./queueEntry.ts"
import type { StoredMessage } from "./storedMessage.ts"

/** What the broker adds to a message when it shows it to a client. Times are milliseconds since 1970. */
export interface DeliveryFacts {
  readonly sequence: number
  /** Deliveries that ended without settlement; 0 on the first one. */
  readonly deliveryCount: number
  readonly enqueuedAtMs: number
  readonly state: "active" | "deferred" | "scheduled"
  readonly lockedUntilMs?: number
  /** The queue it was dead-lettered from, and its sequence number there. */
  readonly deadLetterSource?: string
  readonly originalSequence?: number
}

const messageStates = { active: 0, deferred: 1, scheduled: 2 } as const

const keys = {
  sequence: symbol("x-opt-sequence-number"),
  enqueuedAt: symbol("x-opt-enqueued-time"),
  originalSequence: symbol("x-opt-enqueue-sequence-number"),
  lockedUntil: symbol("x-opt-locked-until"),
  state: symbol("x-opt-message-state"),
  source: symbol("x-opt-deadletter-source"),
}

const emptyBytes = Buffer.alloc(0)
/** Room for the header and every annotation of the broker but the source's name. */
const fixedRoom = 320

/**
 * Encodes the message for a client: a new header, the sender's annotations and the broker's, then the sender's own
 * bytes. This runs once a delivery, so it writes bytes directly.
 */
export function encodeDelivery(message: StoredMessage, facts: DeliveryFacts): Buffer {
  const source = facts.deadLetterSource === undefined ? emptyBytes : Buffer.from(facts.deadLetterSource)
  let room = fixedRoom + source.length
  for (const { bytes } of message.annotations) room += bytes.length
  const out = new Cursor(Buffer.allocUnsafe(room))
  writeHeader(out, message.ttlMs, facts.deliveryCount)
  writeAnnotations(out, message, facts, source)
  return Buffer.concat([
    out.written(),
    message.properties,
    message.applicationProperties ?? emptyBytes,
    message.body,
  ])
}

/** The entry as a client is to see it. */
export function factsOf(entry: QueueEntry): DeliveryFacts {
  const { lock, source, originalSequence } = entry
  return {
    sequence: entry.sequence,
    deliveryCount: entry.deliveryCount,
    enqueuedAtMs: entry.enqueuedAtMs,
    state: entry.state,
    ...(lock ? { lockedUntilMs: lock.untilMs } : {}),
    ...(source === undefined ? {} : { deadLetterSource: source }),
    ...(originalSequence === undefined ? {} : { originalSequence }),
  }
}

function writeHeader(out: Cursor, ttlMs: number | undefined, deliveryCount: number): void {
  // A list of five fields: durable true, priority null, ttl, first-acquirer null, delivery-count.
  out.byte(0x00).byte(0x53).byte(0x70).byte(0xc0)
  out.byte(ttlMs === undefined ? 10 : 14).byte(5)
  out.byte(0x41).byte(0x40)
  if (ttlMs === undefined) out.byte(0x40)
  else out.byte(0x70).uint(Math.min(ttlMs, 0xffff_ffff))
  out.byte(0x40).byte(0x70).uint(deliveryCount)
}

function writeAnnotations(out: Cursor, message: StoredMessage, facts: DeliveryFacts, source: Buffer): void {
  out.byte(0x00).byte(0x53).byte(0x72).byte(0xd1)
  const sizeAt = out.position
  out.uint(0).uint(0)
  let pairs = 4
  for (const { bytes } of message.annotations) out.bytes(bytes)
  pairs += message.annotations.length
  out.bytes(keys.sequence).byte(0x81).long(facts.sequence)
  out.bytes(keys.enqueuedAt).byte(0x83).long(facts.enqueuedAtMs)
  out
    .bytes(keys.originalSequence)
    .byte(0x81)
    .long(facts.originalSequence ?? 0)
  out.bytes(keys.state).byte(0x54).byte(messageStates[facts.state])
  if (facts.lockedUntilMs !== undefined) {
    out.bytes(keys.lockedUntil).byte(0x83).long(facts.lockedUntilMs)
    pairs += 1
  }
  if (source.length > 0) {
    out.bytes(keys.source).byte(0xb1).uint(source.length).bytes(source)
    pairs += 1
  }
  out.uintAt(sizeAt, out.position - sizeAt - 4)
  out.uintAt(sizeAt + 4, pairs * 2)
}

function symbol(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xa3, text.length]), Buffer.from(text, "ascii")])
}

class Cursor {
  readonly #buffer: Buffer
  position = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  byte(value: number): this {
    this.#buffer[this.position] = value
    this.position += 1
    return this
  }

  uint(value: number): this {
    this.position = this.#buffer.writeUInt32BE(value, this.position)
    return this
  }

  /** A whole number up to 2^53, as a signed 64-bit one. */
  long(value: number): this {
    const whole = Math.trunc(value)
    this.#buffer.writeInt32BE(Math.floor(whole / 0x1_0000_0000), this.position)
    this.position = this.#buffer.writeUInt32BE(whole >>> 0, this.position + 4)
    return this
  }

  bytes(value: Buffer): this {
    this.position += value.copy(this.#buffer, this.position)
    return this
  }

  uintAt(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at)
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.position)
  }
}
