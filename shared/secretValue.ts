import { inspect } from "node:util"

const redacted = "[redacted]"

/**
 * A string that must not be seen: a secret's value. It prints, serialises and inspects as `[redacted]`, so that
 * no log line, error or template can carry it by accident. Only `reveal()` gives the text, and only what seals
 * or compares records calls it.
 */
export class SecretValue {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. Never pass the result to a log, an error, an argument list or a metric. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [Symbol.toPrimitive](): string {
    return redacted
  }

  [inspect.custom](): string {
    return redacted
  }
}
