import type { Change } from "../change/change.ts"
import type { ErrorCode } from "../errors.ts"
import type { ClassifiedLetter } from "./classify.ts"
import type { DeadLetter } from "./deadLetter.ts"

/** What replay does with a message: send it again, remove it, move it to quarantine, or let it be. */
export const replayActions = ["send", "remove", "quarantine", "leave"] as const

export type ReplayAction = (typeof replayActions)[number]

/** What is done with one dead letter, and why, in words that do not differ within a group. */
export interface ReplayDecision {
  readonly action: ReplayAction
  readonly why: string
  /** What goes to the queue as change messages; empty when the message itself goes. */
  readonly changes: readonly Change[]
  /** The code it goes to quarantine with. */
  readonly code?: ErrorCode
}

/** What is known of a letter beside itself. */
export interface Circumstances {
  /** The journal says that its copies were accepted. */
  readonly wasSent: boolean
  /** Is the change's version in the store? */
  readonly isProtected: (change: Change) => boolean
  /** How often a message may be replayed. */
  readonly replayMax: number
  /** Selected by its object: then the cap does not hold. */
  readonly isNamed: boolean
}

/** Decides about one dead letter. Pure. */
export function decide(
  letter: DeadLetter,
  { changes, poison, form, lineage }: ClassifiedLetter,
  { wasSent, isProtected, replayMax, isNamed }: Circumstances,
): ReplayDecision {
  const plain = (action: ReplayAction, why: string): ReplayDecision => ({ action, why, changes: [] })
  /** To quarantine, or to stay where a person looks already. */
  const setAside = (why: string, code?: ErrorCode): ReplayDecision =>
    letter.source === "quarantine" && !isQuarantinesDeadLetter(letter)
      ? plain("leave", why)
      : { ...plain("quarantine", why), ...(code ? { code } : {}) }

  if (letter.state !== "active") return plain("leave", "put aside by another tool")
  if (wasSent) return plain("remove", "sent already, removal not confirmed")
  const open = changes.filter((change) => !isProtected(change))
  if (open.length === 0) {
    if (poison) return setAside("only a person can decide", poison.code)
    return plain("remove", changes.length > 0 ? "already protected" : "nothing to back up")
  }
  if (lineage.replays >= replayMax && !isNamed) return setAside(`replayed ${replayMax} times or more`)
  if (form === "same") return plain("send", "not protected")
  const decision = { action: "send", why: "not protected", changes: open } as const
  // What cannot be sent of a body that is read apart must not go with the rest.
  return poison ? { ...decision, code: poison.code } : decision
}

function isQuarantinesDeadLetter({ place }: DeadLetter): boolean {
  return place.toLowerCase().endsWith("/$deadletterqueue")
}
