import { ServiceError } from "../errors.ts"
import type { AllowList } from "./allowList.ts"
import type { Change } from "./change.ts"
import type { ChangeNotice } from "./changeNotice.ts"
import { findContradiction } from "./contradiction.ts"
import { classifyEventType } from "./eventType.ts"
import { formatVersionUrl, type ObjectKind, parseVersionUrl } from "./objectVersion.ts"
import { quoteInput } from "./quoteInput.ts"

/** Why an event is not backed up although nothing is wrong with it. */
type SkipReason = "event-type" | "key-event" | "managed-hsm" | "unknown-event-type"

/** What an event asks for when nothing is wrong with it: a backup, or nothing. */
export type Verdict =
  | { readonly kind: "change"; readonly change: Change }
  | {
      readonly kind: "skipped"
      readonly reason: SkipReason
      /** What somebody who expected a backup should do. */
      readonly advice?: string
      readonly eventType?: string
      /** Somebody should look at it, although nothing is lost. */
      readonly warn?: boolean
    }

const keyAdvice =
  "Key Vault gives out no private key material, so keys are not backed up; a certificate's key is in the certificate's record. Filter key events out of the event subscription."
const managedHsmAdvice =
  "A managed HSM is not backed up here. Use its own full backup (az keyvault backup start), and take it off this queue."
const unknownTypeAdvice =
  "This release does not know the event type. Look whether a newer release does, or filter it out of the event subscription."

/**
 * The verdict that the event's type alone decides: skipped, when there is nothing to back up. `undefined` when
 * the object has to be looked at, and when there is no type.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED for the type of another publisher.
 */
export function judgeEventType(eventType: string | undefined): Verdict | undefined {
  if (eventType === undefined) return undefined
  const { is } = classifyEventType(eventType)
  if (is === "newVersion") return undefined
  if (is === "ignored") return { kind: "skipped", reason: "event-type", eventType }
  if (is === "unknown") {
    return { kind: "skipped", reason: "unknown-event-type", eventType, advice: unknownTypeAdvice, warn: true }
  }
  throw new ServiceError(
    "ERR_EVENT_MALFORMED",
    `The event type ${quoteInput(eventType)} is not one of Key Vault. Correct the event subscription that sends it.`,
  )
}

/**
 * The verdict on a notice whose type asks for a look at the object. The id is the authority on which object
 * version is meant; everything else must agree with it. Pure: no host is looked up, and an id of a vault that is
 * not on the list gets no further than this.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED when the id is no version URL; ERR_EVENT_NOT_ALLOWED when its host is
 * not exactly one on the list; ERR_EVENT_COLLISION when the message contradicts its id.
 */
export function judgeNotice(notice: ChangeNotice, allowList: AllowList): Verdict {
  const { id = "", idLabel, origin, event, claims } = notice
  const parsed = parseVersionUrl(id)
  if ("problem" in parsed) {
    const what = id === "" ? "is absent" : `${quoteInput(id)} is no version URL: ${parsed.problem}`
    throw new ServiceError("ERR_EVENT_MALFORMED", `The event's ${idLabel} ${what}. Fix the publisher.`)
  }
  const eventType = event.type === undefined ? {} : { eventType: event.type }
  // Before the allow-list: a managed HSM is never on it, nothing is read from it, and quarantine would not help.
  if ("unsupported" in parsed && parsed.unsupported === "managedHsm") {
    return { kind: "skipped", reason: "managed-hsm", advice: managedHsmAdvice, ...eventType }
  }
  const host = "object" in parsed ? parsed.object.host : parsed.host
  if (!allowList.allows(host)) {
    throw new ServiceError(
      "ERR_EVENT_NOT_ALLOWED",
      `The vault ${quoteInput(host)} is not in BACKUP_VAULTS. Add it, or find out who publishes its events.`,
      { details: { host } },
    )
  }
  const kind = kindOfType(event.type)
  if (kind === "key" || ("unsupported" in parsed && kind === undefined)) {
    return { kind: "skipped", reason: "key-event", advice: keyAdvice, ...eventType }
  }
  if ("unsupported" in parsed) {
    throw contradicts(idLabel, `its event type is about a ${kind}, its id about a key`, { host })
  }
  const { object } = parsed
  const contradiction = findContradiction(object, kind, claims, event.topic)
  if (contradiction !== undefined) {
    throw contradicts(idLabel, contradiction, { object: formatVersionUrl(object) })
  }
  const hasEvidence = Object.keys(event).length > 0
  return { kind: "change", change: { object, origin, ...(hasEvidence ? { event } : {}) } }
}

function kindOfType(type: string | undefined): ObjectKind | "key" | undefined {
  const eventClass = type === undefined ? undefined : classifyEventType(type)
  return eventClass?.is === "newVersion" ? eventClass.kind : undefined
}

function contradicts(idLabel: string, how: string, details: Readonly<Record<string, string>>): ServiceError {
  return new ServiceError(
    "ERR_EVENT_COLLISION",
    `The event contradicts its ${idLabel}: ${how}. Find out who sent it; Event Grid does not.`,
    { details },
  )
}
