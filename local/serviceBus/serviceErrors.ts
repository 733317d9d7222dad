import { randomUUID } from "node:crypto"

/** An AMQP error as the service words it. */
export interface ServiceBusError {
  readonly condition: string
  readonly description: string
  /** The status code of a management or token answer that carries it. */
  readonly status: number
}

/** What a link or an operation needs: the Data Sender and Data Receiver roles carry one each. */
export type Claim = "Send" | "Listen"

/** The part of every message that names the request at the service. */
function tracking(): string {
  const at = new Date().toISOString().slice(0, 19)
  return `TrackingId:${randomUUID()}_G0, SystemTracker:local, Timestamp:${at}`
}

function make(condition: string, status: number, text: string): ServiceBusError {
  return { condition, status, description: `${text} ${tracking()}` }
}

export function entityNotFound(resource: string): ServiceBusError {
  return make("amqp:not-found", 404, `The messaging entity '${resource}' could not be found.`)
}

/** Wording: azure-sdk-for-js #1268; any one of the claims is enough. */
export function claimMissing(claims: readonly Claim[], resource: string): ServiceBusError {
  const named = claims.join(",")
  const text = `Unauthorized access. '${named}' claim(s) are required to perform this operation. Resource: '${resource}'.`
  return make("amqp:unauthorized-access", 401, text)
}

/** What a closed firewall answers, and a namespace without public access. */
export function addressBlocked(): ServiceBusError {
  return make("amqp:unauthorized-access", 401, "Ip has been prevented to connect to the endpoint.")
}

export function tokenRefused(text: string): ServiceBusError {
  return make("amqp:unauthorized-access", 401, text)
}

export function lockLost(): ServiceBusError {
  const text =
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue."
  return make("com.microsoft:message-lock-lost", 410, text)
}

export function messageNotFound(text: string): ServiceBusError {
  return make("com.microsoft:message-not-found", 404, text)
}

/** Wording: azure-service-bus #326. */
export function sessionRequired(): ServiceBusError {
  const text =
    "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
  return make("amqp:not-allowed", 400, text)
}

/** Wording and condition from a captured detach of 2026-06. */
export function sessionNotSupported(): ServiceBusError {
  const text =
    "A sessionful message receiver cannot be created on an entity that does not require sessions. Ensure " +
    "RequiresSession is set to true when creating a Queue or Subscription to enable sessionful behavior."
  return make("amqp:not-allowed", 400, text)
}

export function sessionIdMissing(): ServiceBusError {
  const text =
    "The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have session " +
    "support enabled can only receive messages that have the SessionId set to a valid value."
  return make("amqp:not-allowed", 400, text)
}

export function messageTooLarge(sizeBytes: number, limitBytes: number): ServiceBusError {
  const text = `The received message (size:${sizeBytes} bytes) exceeds the limit (${limitBytes} bytes) currently allowed on the link.`
  return make("amqp:link:message-size-exceeded", 403, text)
}

/** What the service gives for properties beyond its limits, unhelpful as it is (azure-sdk-for-net #15325). */
export function propertiesTooLarge(): ServiceBusError {
  return make(
    "amqp:internal-error",
    500,
    "The service was unable to process the request; please retry the operation.",
  )
}

export function decodeFailed(): ServiceBusError {
  return make("amqp:decode-error", 400, "The message could not be decoded.")
}

export function notAllowed(text: string): ServiceBusError {
  return make("amqp:not-allowed", 400, text)
}

export function notImplemented(text: string): ServiceBusError {
  return make("amqp:not-implemented", 501, text)
}

const conditionByStatus: Readonly<Record<number, string>> = {
  400: "com.microsoft:argument-error",
  401: "amqp:unauthorized-access",
  403: "amqp:resource-limit-exceeded",
  404: "amqp:not-found",
  408: "com.microsoft:timeout",
  410: "com.microsoft:message-lock-lost",
  503: "com.microsoft:server-busy",
}

/** The error of a `status` fault: `code` is an AMQP condition and wins over the one that belongs to the status. */
export function faultError(status: number | undefined, code: string | undefined): ServiceBusError {
  const shown = status ?? 503
  const condition = code ?? conditionByStatus[shown] ?? "amqp:internal-error"
  const text =
    condition === "com.microsoft:server-busy"
      ? "The request was terminated because the entity is being throttled. Please wait 10 seconds and try again."
      : "The request failed."
  return make(condition, shown, text)
}
