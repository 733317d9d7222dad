/**
 * Finds its way through encoded AMQP 1.0 values without decoding them (OASIS AMQP 1.0 part 1, section 1.6), so
 * that the sender's bytes can be kept exactly as they came.
 */

/** The bytes are not well-formed AMQP. */
export class AmqpDecodeError extends Error {
  override readonly name = "AmqpDecodeError"
}

/** One section of a message: its descriptor code, and where it begins and ends. `valueAt` skips the descriptor. */
export interface SectionRange {
  readonly code: number
  readonly from: number
  readonly valueAt: number
  readonly to: number
}

const describedMark = 0x00
const smallUlong = 0x53
const ulong = 0x80
const fixedWidths: Readonly<Record<number, number>> = { 4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16 }
const maxDepth = 32

/** The sections of one encoded message. */
export function scanSections(buffer: Buffer): SectionRange[] {
  const sections: SectionRange[] = []
  for (let at = 0; at < buffer.length;) {
    if (buffer[at] !== describedMark) throw new AmqpDecodeError("a section has no descriptor")
    const valueAt = endOfValue(buffer, at + 1)
    const to = endOfValue(buffer, valueAt)
    sections.push({ code: descriptorCode(buffer, at + 1), from: at, valueAt, to })
    at = to
  }
  return sections
}

function descriptorCode(buffer: Buffer, at: number): number {
  if (buffer[at] === smallUlong) return buffer.readUInt8(at + 1)
  if (buffer[at] === ulong) return Number(buffer.readBigUInt64BE(at + 1))
  throw new AmqpDecodeError("a section has a symbolic descriptor")
}

/** Where the value that begins at `at` ends. */
export function endOfValue(buffer: Buffer, at: number, depth = 0): number {
  if (depth > maxDepth) throw new AmqpDecodeError("values are nested too deeply")
  const code = byteAt(buffer, at)
  if (code === describedMark) return endOfValue(buffer, endOfValue(buffer, at + 1, depth + 1), depth + 1)
  const family = code >>> 4
  const fixed = fixedWidths[family]
  if (fixed !== undefined) return checkedEnd(buffer, at + 1 + fixed)
  if (family < 0xa) throw new AmqpDecodeError(`unknown type code 0x${code.toString(16)}`)
  const isWide = (family & 1) === 1
  checkedEnd(buffer, at + 1 + (isWide ? 4 : 1))
  return checkedEnd(buffer, isWide ? at + 5 + buffer.readUInt32BE(at + 1) : at + 2 + buffer.readUInt8(at + 1))
}

/** Where each element of the list or map that begins at `at` begins and ends; keys and values alternate in a map. */
export function scanElements(buffer: Buffer, at: number): { readonly from: number; readonly to: number }[] {
  const code = byteAt(buffer, at)
  const family = code >>> 4
  if (code === 0x45 || code === 0x40) return []
  if (family !== 0xc && family !== 0xd) throw new AmqpDecodeError("expected a list or a map")
  const end = endOfValue(buffer, at)
  const isWide = family === 0xd
  const headerEnd = checkedEnd(buffer, at + (isWide ? 9 : 3))
  const count = isWide ? buffer.readUInt32BE(at + 5) : buffer.readUInt8(at + 2)
  const elements: { from: number; to: number }[] = []
  for (let from = headerEnd; elements.length < count;) {
    const to = endOfValue(buffer, from)
    if (to > end) throw new AmqpDecodeError("an element reaches beyond its list")
    elements.push({ from, to })
    from = to
  }
  return elements
}

/** The string or symbol at `at`; undefined when the value is of another type. */
export function readText(buffer: Buffer, at: number): string | undefined {
  const code = byteAt(buffer, at)
  if (code === 0xa1 || code === 0xa3) return buffer.toString("utf8", at + 2, endOfValue(buffer, at))
  if (code === 0xb1 || code === 0xb3) return buffer.toString("utf8", at + 5, endOfValue(buffer, at))
  return undefined
}

/** The uint at `at`; undefined when the value is of another type. */
export function readUint(buffer: Buffer, at: number): number | undefined {
  const code = byteAt(buffer, at)
  if (code === 0x43) return 0
  if (code === 0x52) return buffer.readUInt8(at + 1)
  return code === 0x70 ? buffer.readUInt32BE(at + 1) : undefined
}

/** The timestamp at `at`, in milliseconds since 1970; undefined when the value is of another type. */
export function readTimestamp(buffer: Buffer, at: number): number | undefined {
  return byteAt(buffer, at) === 0x83 ? Number(buffer.readBigInt64BE(at + 1)) : undefined
}

/** The text that stands for a message id of any of its four types; undefined for null. */
export function readMessageId(buffer: Buffer, at: number): string | undefined {
  const code = byteAt(buffer, at)
  if (code === 0x40) return undefined
  return readText(buffer, at) ?? `${code}:${buffer.toString("hex", at + 1, endOfValue(buffer, at))}`
}

function byteAt(buffer: Buffer, at: number): number {
  const byte = buffer[at]
  if (byte === undefined) throw new AmqpDecodeError("the value ends too early")
  return byte
}

function checkedEnd(buffer: Buffer, end: number): number {
  if (end > buffer.length) throw new AmqpDecodeError("the value ends too early")
  return end
}
