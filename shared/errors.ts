import { catalogue, type CatalogueEntry } from "./errorCatalogue.ts"

export type ErrorCode = keyof typeof catalogue

/** Is `text` one of our codes? */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(catalogue, text)
}

/** What the catalogue says about `code`. */
export function describeError(code: ErrorCode): CatalogueEntry {
  return catalogue[code]
}

export interface ServiceErrorInit {
  readonly details?: Readonly<Record<string, string | number>>
  readonly cause?: unknown
  /** How long the service asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number
  /** The next step, where it is narrower than what the catalogue says of the code. Starts with a verb. */
  readonly hint?: string
}

/** A failure an operator can act on. `code` is stable; `message` may change. */
export class ServiceError extends Error {
  override readonly name = "ServiceError"
  readonly code: ErrorCode
  /** Ids only (vault, name, version, blob); never secret values, tokens or tag values. */
  readonly details: Readonly<Record<string, string | number>>
  readonly retryAfterMs: number | undefined
  /** The next step: this error's own, or the catalogue's. */
  readonly hint: string

  constructor(code: ErrorCode, message: string, init: ServiceErrorInit = {}) {
    super(`[${code}] ${message}`, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = code
    this.details = init.details ?? {}
    this.retryAfterMs = init.retryAfterMs
    this.hint = init.hint ?? catalogue[code].hint
  }
}

/**
 * Any thrown value as a ServiceError. What is not one becomes ERR_UNKNOWN with the value as its cause; the
 * foreign message is not taken over, since it may quote a body.
 */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  return new ServiceError("ERR_UNKNOWN", `An unexpected ${name} was thrown`, { cause: thrown })
}
