// The body of a change message, format keyvault-change/1: docs/formats.md.
import { ServiceError } from "../errors.ts"
import { type Change, type ChangeEvidence, origins } from "./change.ts"
import { type ChangeNotice, present } from "./changeNotice.ts"
import { type EventFields, isJsonObject, readFields, readText } from "./eventFields.ts"
import { formatVersionUrl } from "./objectVersion.ts"
import { quoteInput } from "./quoteInput.ts"

/** Format name of the change messages this release reads and writes. */
const changeMessageFormat = "keyvault-change/1"

/** Does the object with these members claim to be a change message, of whatever format version? */
export function isChangeMessage(fields: EventFields): boolean {
  return fields.has("change")
}

/**
 * What a change message says: a scheduled copy, a gap that reconciliation found, or a third party's notice.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED when it is no object, of an unknown format, of an unknown origin, or
 * one of its members is not text of sane length.
 */
export function readChangeMessage(fields: EventFields): ChangeNotice {
  const change = fields.get("change")
  if (!isJsonObject(change)) {
    throw new ServiceError("ERR_EVENT_MALFORMED", "The message's change is no object. Fix the sender.")
  }
  const members = readFields(change)
  const read = (label: string, maxLength: number) =>
    readText(members, label.toLowerCase(), { label: `change.${label}`, maxLength })
  const format = read("format", 256)
  if (format !== changeMessageFormat) {
    throw new ServiceError(
      "ERR_EVENT_MALFORMED",
      `The change message has the format ${quoteInput(format ?? "")}; this release reads ${changeMessageFormat}. Use a release that knows the format, or fix the sender.`,
    )
  }
  const originText = read("origin", 256)
  const origin = origins.find((known) => known === originText)
  if (origin === undefined) {
    throw new ServiceError(
      "ERR_EVENT_MALFORMED",
      `The change message has the origin ${quoteInput(originText ?? "")}; it must be one of ${origins.join(", ")}. Fix the sender.`,
    )
  }
  const id = read("id", 2048)
  return {
    ...(id === undefined ? {} : { id }),
    idLabel: "change.id",
    origin,
    event: present<ChangeEvidence>({
      id: read("eventId", 256),
      type: read("eventType", 256),
      time: read("eventTime", 64),
      topic: read("topic", 1024),
    }),
    claims: {},
  }
}

/**
 * The change as the JSON text of a message body. Everything stands under one top-level member, because the
 * Functions host copies top-level members over the trigger metadata. `parseChanges` reads it back unchanged.
 */
export function formatChangeMessage({ object, origin, event = {} }: Change): string {
  return JSON.stringify({
    change: {
      format: changeMessageFormat,
      id: formatVersionUrl(object),
      origin,
      eventId: event.id,
      eventType: event.type,
      eventTime: event.time,
      topic: event.topic,
    },
  })
}
