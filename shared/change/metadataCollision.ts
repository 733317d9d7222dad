import { ServiceError } from "../errors.ts"
import { foldKey } from "./eventFields.ts"

/**
 * Names of the trigger metadata that Service Bus messages have. The Functions host copies the top-level members
 * of a JSON object over them, whatever their case, so that a body could tell a false delivery count or lock
 * token (https://github.com/Azure/azure-functions-dotnet-worker/issues/991). `subject` is missing because every
 * event has one; it is never read from the metadata.
 */
const metadataNames: ReadonlySet<string> = new Set(
  [
    "deliveryCount",
    "deadLetterSource",
    "lockToken",
    "expiresAtUtc",
    "expiresAt",
    "enqueuedTimeUtc",
    "enqueuedTime",
    "messageId",
    "contentType",
    "replyTo",
    "sequenceNumber",
    "to",
    "label",
    "correlationId",
    "applicationProperties",
    "userProperties",
    "sessionId",
    "replyToSessionId",
    "partitionKey",
    "transactionPartitionKey",
    "messageReceiver",
    "messageSession",
    "messageActions",
    "sessionActions",
    "client",
    "sys",
  ].map(foldKey),
)

/**
 * ERR_EVENT_COLLISION when `body`, a JSON object that was the whole message, has a member that the host copied
 * over broker metadata; else `undefined`. Not for array elements or decoded text: the host does not copy those.
 */
export function metadataCollision(body: object): ServiceError | undefined {
  const key = Object.keys(body)
    .map(foldKey)
    .find((name) => metadataNames.has(name))
  if (key === undefined) return undefined
  return new ServiceError(
    "ERR_EVENT_COLLISION",
    `The body has a member "${key}", which the host copies over the broker's own. Find out who sent it; Event Grid does not.`,
  )
}
