import { ServiceError } from "../errors.ts"
import { quoteInput } from "./quoteInput.ts"

/** An object's members by folded name: trimmed, lower case. */
export type EventFields = ReadonlyMap<string, unknown>

/** Is `value` a JSON object (no array, not null)? */
export function isJsonObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** A key as names are compared: the documentation of Key Vault's events itself shows `"ObjectName "`. */
export function foldKey(key: string): string {
  return key.trim().toLowerCase()
}

/**
 * The own members of `value` by folded name. Reads no prototype, so `__proto__` is a name like any other.
 *
 * @throws ServiceError ERR_EVENT_COLLISION when two names fold to one and their values disagree.
 */
export function readFields(value: object): EventFields {
  const fields = new Map<string, unknown>()
  for (const [key, raw] of Object.entries(value)) {
    const folded = foldKey(key)
    const member: unknown = typeof raw === "string" ? raw.trim() : raw
    if (fields.has(folded) && fields.get(folded) !== member) {
      throw new ServiceError(
        "ERR_EVENT_COLLISION",
        `The event has ${quoteInput(folded)} more than once, with different values. Find out who sent it.`,
      )
    }
    fields.set(folded, member)
  }
  return fields
}

/**
 * The text in `key`, trimmed; `undefined` when it is absent, null or blank.
 *
 * @throws ServiceError ERR_EVENT_MALFORMED when it is no text, longer than `maxLength`, or holds control
 * characters or half a surrogate pair: such text must not reach a log, a header or a record.
 */
export function readText(
  fields: EventFields,
  key: string,
  { label, maxLength }: { readonly label: string; readonly maxLength: number },
): string | undefined {
  const value = fields.get(key)
  if (value === undefined || value === null || value === "") return undefined
  const problem = problemOf(value, maxLength)
  if (problem !== undefined || typeof value !== "string") {
    throw new ServiceError("ERR_EVENT_MALFORMED", `The event's ${label} ${problem}. Fix the publisher.`)
  }
  return value
}

function problemOf(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== "string") return "is no text"
  if (value.length > maxLength) return `is longer than ${maxLength} characters`
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value)) return "has control characters"
  return value.isWellFormed() ? undefined : "is no well-formed Unicode text"
}
