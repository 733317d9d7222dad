import { createHash } from "node:crypto"

/** Where messages end up that were not backed up, by the names of `--from`. */
export const sourceNames = ["dead-letter", "quarantine", "event-grid"] as const

export type SourceName = (typeof sourceNames)[number]

/** What a message carries beside its body. Values are as the client decodes them: AMQP's number types become numbers. */
export interface MessageEnvelope {
  /** Which AMQP section holds the body. */
  readonly bodyType: "data" | "value" | "sequence"
  readonly properties: Readonly<Record<string, unknown>>
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly correlationId?: string | number | Buffer
  readonly subject?: string
  readonly to?: string
  readonly replyTo?: string
  readonly sessionId?: string
  readonly replyToSessionId?: string
  readonly partitionKey?: string
}

/** One message, or one entry of an Event Grid dead-letter blob, that was not backed up. */
export interface DeadLetter {
  readonly source: SourceName
  /** Path of the queue, or name of the container. */
  readonly place: string
  /** What it is known by at its place: the sequence number, or `BLOB#INDEX`. */
  readonly id: string
  readonly messageId?: string
  /** When it entered the queue; for Event Grid, when it was last tried. */
  readonly at?: Date
  readonly body: unknown
  readonly envelope: MessageEnvelope
  /** Why the broker, or Event Grid, gave it up. */
  readonly reason?: string
  /** `aside`: deferred or scheduled by somebody, so that receivers do not get it. */
  readonly state: "active" | "aside"
  /** How many entries the blob has that it stands in. */
  readonly entries?: number
}

/** Tells a dead letter from every other one, also from one of a queue that was deleted and made again. */
export function keyOf({ place, id, messageId = "", at }: DeadLetterId): string {
  return `${place} ${id} ${at?.toISOString() ?? ""} ${messageId}`
}

/** What `keyOf` needs. */
export type DeadLetterId = Pick<DeadLetter, "place" | "id" | "messageId" | "at">

/** The key as a number of 256 bits, to be summed over a set: see `MemberSum`. */
export function hashKey(key: string): bigint {
  return BigInt(`0x${createHash("sha256").update(key).digest("hex")}`)
}
