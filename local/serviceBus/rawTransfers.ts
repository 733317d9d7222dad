import type { Receiver, Session } from "rhea"

/** A private message format: rhea decodes format 0 only and hands over the bytes of every other one. */
const rawFormat = 0x5ab0
/** Message format of a batch: each data section holds one encoded message. */
export const batchFormat = 0x8001_3700

/** The parts of rhea 3.0.5 that a transfer passes through. */
interface TransferSession extends Session {
  _get_link(frame: TransferFrame): RawReceiver
  on_transfer(frame: TransferFrame): void
}

interface TransferFrame {
  readonly performative: { message_format: number | undefined; readonly delivery_id: number | undefined }
  payload?: Buffer
}

interface RawReceiver extends Receiver {
  _incomplete?: { readonly frames: Buffer[] }
}

const limits = new WeakMap<Receiver, { readonly maxBytes: number; receivedBytes: number }>()
const overridden = new WeakSet<Session>()

/**
 * Makes `receiver` give out the bytes of its messages as they came, so that they can be kept unchanged, and keeps
 * no more of a message than `maxBytes` and a little: what comes beyond that is counted, not stored.
 */
export function receiveRaw(receiver: Receiver, maxBytes: number): void {
  limits.set(receiver, { maxBytes, receivedBytes: 0 })
  const session = receiver.session as TransferSession
  if (overridden.has(session)) return
  overridden.add(session)
  const onTransfer = session.on_transfer.bind(session)
  session.on_transfer = (frame) => {
    const link = session["_get_link"](frame)
    const limit = limits.get(link)
    if (limit !== undefined) {
      if (!frame.performative.message_format) frame.performative.message_format = rawFormat
      if (link["_incomplete"] === undefined) limit.receivedBytes = 0
      limit.receivedBytes += frame.payload?.length ?? 0
      if (limit.receivedBytes > limit.maxBytes && link["_incomplete"] !== undefined)
        frame.payload = Buffer.alloc(0)
    }
    onTransfer(frame)
  }
}

/** The size of the message that has just arrived whole on `receiver`, as the client sent it. */
export function receivedBytes(receiver: Receiver): number {
  return limits.get(receiver)?.receivedBytes ?? 0
}
