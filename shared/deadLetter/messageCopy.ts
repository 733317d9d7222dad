import type { Change } from "../change/change.ts"
import { formatChangeMessage } from "../change/changeMessage.ts"
import { formatLineage, type MessageLineage, parseLineage } from "../queue/messageLineage.ts"
import type { DeadLetter, MessageEnvelope } from "./deadLetter.ts"

/** A message to be sent in the place of a dead letter. */
export interface MessageCopy {
  readonly queue: "changes" | "quarantine"
  readonly messageId: string
  readonly body: unknown
  readonly envelope: MessageEnvelope
}

export interface CopyOptions {
  /** Fresh: one that was seen before is swallowed by duplicate detection. */
  readonly messageId: string
  /** Digest of the plan. */
  readonly plan: string
}

/** What the broker added when it gave the message up: a copy that kept them would look dead already. */
const brokersOwn: ReadonlySet<string> = new Set(["deadletterreason", "deadlettererrordescription"])

/**
 * The same message again: body, content type, correlation and every property as they were. Left out: the MessageId, time
 * to live, schedule, the broker's annotations (by being no part of an envelope), the dead-letter properties, and what
 * the product says of the present deferral. Added: `kvb-` properties that tell where it comes from.
 */
export function copyToReplay(letter: DeadLetter, { messageId, plan }: CopyOptions): MessageCopy {
  const { retrySince: _since, attempt: _attempt, ...lineage } = lineageOf(letter)
  const { properties: _properties, ...rest } = letter.envelope
  return {
    queue: "changes",
    messageId,
    body: letter.body,
    envelope: {
      ...rest,
      properties: {
        ...foreignProperties(letter),
        ...formatLineage({
          ...lineage,
          origin: "replay",
          attempt: 0,
          replays: lineage.replays + 1,
          plan,
        }),
      },
    },
  }
}

/** The same, with the change that was read from the letter in the place of its bytes. */
export function changeToReplay(letter: DeadLetter, change: Change, options: CopyOptions): MessageCopy {
  const { envelope, ...copy } = copyToReplay(letter, options)
  const { contentEncoding: _encoding, ...rest } = envelope
  return {
    ...copy,
    body: Buffer.from(formatChangeMessage({ ...change, origin: "replay" })),
    envelope: { ...rest, bodyType: "data", contentType: "application/json" },
  }
}

/** The same message for quarantine, with its whole history, and the code that only a person can decide about. */
export function copyToQuarantine(
  letter: DeadLetter,
  { messageId, plan, code }: CopyOptions & { readonly code?: string },
): MessageCopy {
  const lineage = lineageOf(letter)
  const lastCode = code ?? lineage.lastCode ?? lineage.firstCode
  return {
    queue: "quarantine",
    messageId,
    body: letter.body,
    envelope: {
      ...letter.envelope,
      properties: {
        ...foreignProperties(letter),
        ...formatLineage({
          ...lineage,
          ...(lastCode === undefined ? {} : { firstCode: lineage.firstCode ?? lastCode, lastCode }),
          plan,
        }),
      },
    },
  }
}

/** An Event Grid dead letter was never in a queue: it has no first message, and no time at which that came. */
function lineageOf({ source, envelope, messageId, at, reason }: DeadLetter): MessageLineage {
  const lineage = parseLineage(envelope.properties)
  const firstCode = lineage.firstCode ?? lineage.lastCode ?? (isShort(reason) ? reason : undefined)
  const wasQueued = source !== "event-grid"
  const originalId = lineage.originalId ?? (wasQueued ? messageId : undefined)
  const firstEnqueuedAt = lineage.firstEnqueuedAt ?? (wasQueued ? at : undefined)
  return {
    ...lineage,
    ...(originalId === undefined ? {} : { originalId }),
    ...(firstEnqueuedAt ? { firstEnqueuedAt } : {}),
    ...(firstCode === undefined ? {} : { firstCode }),
  }
}

function isShort(reason: string | undefined): boolean {
  return reason !== undefined && /^[\w.:/-]{1,80}$/.test(reason)
}

function foreignProperties({ envelope }: DeadLetter): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(envelope.properties).filter(
      ([name]) => !brokersOwn.has(name.toLowerCase()) && !name.startsWith("kvb-"),
    ),
  )
}
