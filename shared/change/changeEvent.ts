import { ServiceError } from "../errors.ts"
import type { ChangeEvidence } from "./change.ts"
import { type ChangeNotice, present } from "./changeNotice.ts"
import { type EventFields, isJsonObject, readFields, readText } from "./eventFields.ts"
import { quoteInput } from "./quoteInput.ts"

/** The two envelopes that an event subscription can be set to. */
export type EventSchema = "eventGrid" | "cloudEvents"

const cloudEventsVersion = "1.0"

/** Where each piece of evidence stands in each envelope. */
const evidenceKeys = {
  eventGrid: { type: "eventType", time: "eventTime", topic: "topic" },
  cloudEvents: { type: "type", time: "time", topic: "source" },
} as const

/**
 * The envelope of an event, told by the member that only it has: `eventType` or `specversion`. `undefined` when
 * it has neither.
 *
 * @throws ServiceError ERR_EVENT_COLLISION when it has both.
 */
export function eventSchemaOf(fields: EventFields): EventSchema | undefined {
  const isEventGrid = fields.has("eventtype")
  const isCloudEvent = fields.has("specversion")
  if (isEventGrid && isCloudEvent) {
    throw new ServiceError(
      "ERR_EVENT_COLLISION",
      "The event has both eventType and specversion, so it is of two schemas at once. Find out who sent it.",
    )
  }
  if (isEventGrid) return "eventGrid"
  return isCloudEvent ? "cloudEvents" : undefined
}

/**
 * What the envelope says of the event, without a look at its data.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED when it has no type, or a member is not text of sane length, or the
 * CloudEvents version is not 1.0.
 */
export function readEvidence(
  fields: EventFields,
  schema: EventSchema,
): ChangeEvidence & { readonly type: string } {
  if (schema === "cloudEvents") {
    const version = readText(fields, "specversion", { label: "specversion", maxLength: 256 }) ?? ""
    if (version !== cloudEventsVersion) {
      throw new ServiceError(
        "ERR_EVENT_MALFORMED",
        `The event's specversion is ${quoteInput(version)}; only CloudEvents ${cloudEventsVersion} is read. Fix the publisher.`,
      )
    }
  }
  const keys = evidenceKeys[schema]
  const read = (key: string, maxLength: number) =>
    readText(fields, key.toLowerCase(), { label: key, maxLength })
  const type = read(keys.type, 256)
  if (type === undefined) {
    throw new ServiceError("ERR_EVENT_MALFORMED", `The event's ${keys.type} is absent. Fix the publisher.`)
  }
  const rest = present<ChangeEvidence>({
    id: read("id", 256),
    time: read(keys.time, 64),
    topic: read(keys.topic, 1024),
  })
  return { ...rest, type }
}

/**
 * What the data of a Key Vault event says. Names are matched after trimming and case folding and values are
 * trimmed, because payloads with stray spaces and changed case have been delivered
 * (https://github.com/MicrosoftDocs/azure-docs/issues/78126). `NBF` and `EXP` are not read: whatever form they
 * take does no harm. The `subject` is not read either.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED when there is no data, or a member that is read is no text.
 */
export function readChangeEvent(fields: EventFields, event: ChangeEvidence): ChangeNotice {
  const data = fields.get("data")
  if (!isJsonObject(data)) {
    throw new ServiceError("ERR_EVENT_MALFORMED", "The event's data is no object. Fix the publisher.")
  }
  const members = readFields(data)
  const read = (label: string) =>
    readText(members, label.toLowerCase(), { label: `data.${label}`, maxLength: 2048 })
  const id = read("Id")
  return {
    ...(id === undefined ? {} : { id }),
    idLabel: "data.Id",
    origin: "live",
    event,
    claims: present({
      vaultName: read("VaultName"),
      objectType: read("ObjectType"),
      objectName: read("ObjectName"),
      version: read("Version"),
    }),
  }
}
