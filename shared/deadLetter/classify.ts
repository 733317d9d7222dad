import type { AllowList } from "../change/allowList.ts"
import type { Change } from "../change/change.ts"
import { parseChanges } from "../change/parseChanges.ts"
import { quoteInput } from "../change/quoteInput.ts"
import type { ServiceError } from "../errors.ts"
import { type MessageLineage, parseLineage } from "../queue/messageLineage.ts"
import type { DeadLetter } from "./deadLetter.ts"
import { decodeChanges } from "./decodeBody.ts"

/** A dead letter judged again by the rules as they are now. */
export interface ClassifiedLetter {
  /** Why it is where it is: the last error code it carries, else what the rules say of it now, else the broker's reason. */
  readonly cause: string
  readonly lineage: MessageLineage
  readonly changes: readonly Change[]
  /** Of the events that are no change for anybody; the first of several. */
  readonly poison?: ServiceError
  /**
   * `same`: its own bytes can be sent again. `changes`: only what was read from them, as change messages, since the
   * bytes are not UTF-8 or not those of a message.
   */
  readonly form: "same" | "changes"
}

/** Pure: reads nothing, looks nothing up; the same letter and allow-list give the same answer. */
export function classify(letter: DeadLetter, allowList: AllowList): ClassifiedLetter {
  const read = parseChanges(letter.body, allowList)
  const isLossy = read.some((item) => item.kind === "poison" && item.error.code === "ERR_EVENT_LOSSY")
  const decoded =
    isLossy && letter.body instanceof Uint8Array ? decodeChanges(letter.body, allowList) : undefined
  const items = decoded ?? read
  const lineage = parseLineage(letter.envelope.properties)
  const poison = items.find((item) => item.kind === "poison")?.error
  return {
    cause: shortCause(
      lineage.lastCode ?? (isLossy ? "ERR_EVENT_LOSSY" : (poison?.code ?? letter.reason ?? "unknown")),
    ),
    lineage,
    changes: items.flatMap((item) => (item.kind === "change" ? [item.change] : [])),
    ...(poison ? { poison } : {}),
    form: decoded || letter.source === "event-grid" ? "changes" : "same",
  }
}

/** A cause is shown and grouped by; what a stranger wrote there is quoted and cut. */
export function shortCause(text: string): string {
  return /^[\w.:/-]{1,80}$/.test(text) ? text : quoteInput(text, 80)
}
