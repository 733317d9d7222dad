import type { Clock } from "./clock.ts"
import { toServiceError } from "./errors.ts"

export type LogLevel = "info" | "warn" | "error"

/** Ids, codes, counts and times. Never a secret value, a token or a tag value. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** One JSON object a line: `at`, `level`, `event`, then the fields. */
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

/** A log whose lines go to `write`, one call a line, without the line break. */
export function createLog(write: (level: LogLevel, line: string) => void, clock: Clock): Log {
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      const head = { at: clock.now().toISOString(), level, event }
      write(level, JSON.stringify({ ...head, ...fields, ...head }))
    }
  return { info: at("info"), warn: at("warn"), error: at("error") }
}

/**
 * What a log line may tell of an error: its code, our own message, its ids, and of the cause no more than its
 * name, code and status. The message of a foreign error is left out: it may quote a body.
 */
export function errorFields(thrown: unknown): LogFields {
  const error = toServiceError(thrown)
  const cause = error.cause
  const causeFields =
    typeof cause === "object" && cause !== null
      ? {
          causeName: wordOf(cause, "name"),
          causeCode: wordOf(cause, "code"),
          causeStatus: numberOf(cause, "statusCode"),
        }
      : {}
  const own = { code: error.code, message: error.message }
  return { ...own, ...error.details, ...own, ...causeFields }
}

/** A name or a code is one word; anything else is not quoted. */
function wordOf(value: object, key: string): string | undefined {
  const text: unknown = Reflect.get(value, key)
  return typeof text === "string" && /^[\w.:-]{1,80}$/.test(text) ? text : undefined
}

function numberOf(value: object, key: string): number | undefined {
  const number: unknown = Reflect.get(value, key)
  return typeof number === "number" ? number : undefined
}
