import { describe, expect, it } from "vitest"
import {
  describeProcessing,
  readMessagingConventions,
} from "../../../shared/telemetry/messagingConventions.ts"

const message = { queue: "keyvault-changes", messageId: "m-1", enqueuedAt: new Date(1_772_359_204_900) }
const always = {
  "messaging.system": "servicebus",
  "messaging.destination.name": "keyvault-changes",
  "messaging.message.id": "m-1",
  "messaging.servicebus.message.enqueued_time": 1_772_359_204,
}
const newer = { "messaging.operation.type": "process", "messaging.operation.name": "process" }

describe("OTEL_SEMCONV_STABILITY_OPT_IN", () => {
  it.each([
    { optIn: undefined, conventions: "old" },
    { optIn: "", conventions: "old" },
    { optIn: "http,database", conventions: "old" },
    { optIn: "messaging", conventions: "new" },
    { optIn: "http, Messaging ", conventions: "new" },
    { optIn: "messaging/dup", conventions: "both" },
    { optIn: "messaging,messaging/dup", conventions: "both" },
  ])("$optIn asks for the $conventions names", ({ optIn, conventions }) => {
    expect(readMessagingConventions(optIn)).toBe(conventions)
  })

  it.each([
    { conventions: "old", name: "keyvault-changes deliver", own: { "messaging.operation": "deliver" } },
    { conventions: "new", name: "process keyvault-changes", own: newer },
    {
      conventions: "both",
      name: "process keyvault-changes",
      own: { "messaging.operation": "deliver", ...newer },
    },
  ] as const)("the $conventions names are written", ({ conventions, name, own }) => {
    expect(describeProcessing(conventions, message)).toEqual({ name, attributes: { ...always, ...own } })
  })
})

it.each([{ messageId: "" }, { messageId: "db password of payments" }, { messageId: "x".repeat(65) }])(
  "a message id that no broker makes stays out: $messageId",
  ({ messageId }) => {
    const { attributes } = describeProcessing("new", { ...message, messageId })
    expect(attributes).not.toHaveProperty(["messaging.message.id"])
  },
)
