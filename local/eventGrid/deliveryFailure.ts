/**
 * Why one attempt failed. A delivery port throws an object with these members; every other thrown value counts
 * as `GenericError`.
 */
export interface DeliveryFailure {
  /** As it appears in dead letters: `NotFound`, `BadRequest`, `TimedOut`, … */
  readonly outcome: string
  readonly httpStatus?: number
}

/** A `DeliveryFailure` to throw. */
export class DeliveryError extends Error implements DeliveryFailure {
  override readonly name = "DeliveryError"
  readonly outcome: string
  readonly httpStatus?: number

  constructor(outcome: string, httpStatus?: number) {
    super(`Not delivered: ${outcome}`)
    this.outcome = outcome
    if (httpStatus !== undefined) this.httpStatus = httpStatus
  }
}

const outcomes: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  408: "TimedOut",
  413: "PayloadTooLarge",
  429: "Busy",
  503: "Busy",
}

const reasons: Readonly<Record<number, string>> = {
  400: "UndeliverableDueToHttpBadRequest",
  403: "UndeliverableDueToHttpForbidden",
  413: "UndeliverableDueToHttpRequestEntityTooLarge",
}

/** The outcome that goes with an HTTP status. */
export function outcomeOf(httpStatus: number): string {
  return outcomes[httpStatus] ?? "GenericError"
}

/** Reads what a port threw. */
export function toDeliveryFailure(thrown: unknown): DeliveryFailure {
  if (typeof thrown !== "object" || thrown === null) return { outcome: "GenericError" }
  const { outcome, httpStatus } = thrown as { outcome?: unknown; httpStatus?: unknown }
  const status = typeof httpStatus === "number" ? httpStatus : undefined
  const named = typeof outcome === "string" && outcome !== "" ? outcome : undefined
  return {
    outcome: named ?? (status === undefined ? "GenericError" : outcomeOf(status)),
    ...(status === undefined ? {} : { httpStatus: status }),
  }
}

/**
 * The dead-letter reason of a failure that is never retried, or undefined: for Azure resources as destinations
 * these are 400, 403 and 413.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry; of the reasons only the one for 400
 * is documented.
 */
export function permanentReason({ httpStatus }: DeliveryFailure): string | undefined {
  return httpStatus === undefined ? undefined : reasons[httpStatus]
}
