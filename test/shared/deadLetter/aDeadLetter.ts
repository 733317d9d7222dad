import type { DeadLetter } from "../../../shared/deadLetter/deadLetter.ts"
import { anEventGridEvent } from "../../support/builders.ts"

/** A dead letter of the queue of changes; its body is an event unless another is given. */
export function aDeadLetter({
  body = JSON.stringify(anEventGridEvent()),
  properties = {},
  envelope = {},
  ...rest
}: Partial<Omit<DeadLetter, "body" | "envelope">> & {
  readonly body?: string | Uint8Array
  readonly properties?: Readonly<Record<string, unknown>>
  readonly envelope?: Partial<DeadLetter["envelope"]>
} = {}): DeadLetter {
  return {
    source: "dead-letter",
    place: "keyvault-changes/$DeadLetterQueue",
    id: "17",
    messageId: "m17",
    at: new Date("2026-03-01T10:00:01.000Z"),
    state: "active",
    body: typeof body === "string" ? Buffer.from(body) : body,
    envelope: { bodyType: "data", properties, ...envelope },
    ...rest,
  }
}
