import { describe, expect, it } from "vitest"
import { metadataCollision } from "../../../shared/change/metadataCollision.ts"

/** What the Service Bus extension and the host put into the trigger metadata of one message. */
const names =
  "DeliveryCount DeadLetterSource LockToken ExpiresAtUtc ExpiresAt EnqueuedTimeUtc EnqueuedTime MessageId ContentType ReplyTo SequenceNumber To Label CorrelationId ApplicationProperties UserProperties SessionId ReplyToSessionId PartitionKey TransactionPartitionKey MessageReceiver MessageSession MessageActions SessionActions Client sys".split(
    " ",
  )

describe("metadataCollision", () => {
  it.each(names)("refuses %s in any case, padded or not", (name) => {
    const keys = [name, name.toLowerCase(), name.toUpperCase(), ` ${name}\t`]
    const errors = keys.map((key) => metadataCollision({ id: "e-1", [key]: "x" }))
    expect(errors.map((error) => error?.code)).toEqual(keys.map(() => "ERR_EVENT_COLLISION"))
    expect(errors[0]?.message).toContain(`"${name.toLowerCase()}"`)
  })

  it("takes the members of all three forms, and what Event Grid adds to a dead letter", () => {
    const members =
      "id topic subject eventType eventTime data dataVersion metadataVersion specversion type source time change deadLetterReason deliveryAttempts lastDeliveryOutcome publishTime lastDeliveryAttemptTime lastHttpStatusCode"
    expect(
      metadataCollision(Object.fromEntries(members.split(" ").map((name) => [name, "x"]))),
    ).toBeUndefined()
  })
})
