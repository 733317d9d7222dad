import { ServiceError, toServiceError } from "../errors.ts"
import type { AllowList } from "./allowList.ts"
import { eventSchemaOf, readChangeEvent, readEvidence } from "./changeEvent.ts"
import { isChangeMessage, readChangeMessage } from "./changeMessage.ts"
import { isJsonObject, readFields } from "./eventFields.ts"
import { judgeEventType, judgeNotice, type Verdict } from "./judgeNotice.ts"
import { readMessageBody } from "./messageBody.ts"
import { metadataCollision } from "./metadataCollision.ts"

/** What one event of a message turned out to be. Only `change` asks for anything to be read. */
export type ParsedItem = Verdict | { readonly kind: "poison"; readonly error: ServiceError }

/**
 * The events in a message's body, in their order, each judged alone; `body` is what the Functions library hands
 * over. Takes events in the Event Grid schema and as CloudEvents 1.0, change messages, and arrays of them.
 *
 * Never throws, never reads anything, and always returns at least one item; the same body gives the same items.
 * An error is ERR_EVENT_MALFORMED, ERR_EVENT_NOT_ALLOWED or ERR_EVENT_COLLISION; or ERR_EVENT_LOSSY, which is then
 * the only item and stands for the whole message.
 */
export function parseChanges(body: unknown, allowList: AllowList): ParsedItem[] {
  const read = readMessageBody(body)
  if ("error" in read) return [{ kind: "poison", error: read.error }]
  const { value, decodedFrom } = read
  if (!Array.isArray(value)) {
    const wasObject = decodedFrom === "json" || decodedFrom === "bytes"
    const collision = wasObject ? metadataCollision(value) : undefined
    return [collision ? { kind: "poison", error: collision } : parseItem(value, allowList)]
  }
  if (value.length === 0) {
    const error = new ServiceError("ERR_EVENT_MALFORMED", "The body is an empty array. Fix the sender.")
    return [{ kind: "poison", error }]
  }
  return value.map((element: unknown) => parseItem(element, allowList))
}

function parseItem(element: unknown, allowList: AllowList): ParsedItem {
  try {
    return judge(element, allowList)
  } catch (thrown) {
    return { kind: "poison", error: toServiceError(thrown) }
  }
}

function judge(element: unknown, allowList: AllowList): Verdict {
  if (!isJsonObject(element)) {
    throw new ServiceError(
      "ERR_EVENT_MALFORMED",
      "The array has an element that is no object. Fix the sender.",
    )
  }
  const fields = readFields(element)
  const schema = eventSchemaOf(fields)
  if (schema === undefined) {
    if (!isChangeMessage(fields)) {
      throw new ServiceError(
        "ERR_EVENT_MALFORMED",
        "The object is neither an Event Grid event, nor a CloudEvent, nor a change message. Fix the sender.",
      )
    }
    const notice = readChangeMessage(fields)
    return judgeEventType(notice.event.type) ?? judgeNotice(notice, allowList)
  }
  const evidence = readEvidence(fields, schema)
  return judgeEventType(evidence.type) ?? judgeNotice(readChangeEvent(fields, evidence), allowList)
}
