import { describe, expect, it } from "vitest"
import { readTriggerMessage } from "../../functions/triggerMessage.ts"

const receivedAt = new Date("2026-03-01T10:00:05.000Z")
const read = (metadata: Record<string, unknown> | undefined, body: unknown = {}) =>
  readTriggerMessage(body, metadata as Parameters<typeof readTriggerMessage>[1], receivedAt)

describe("readTriggerMessage", () => {
  it("reads id, time, lineage and Event Grid's own properties", () => {
    const body = { a: 1 }
    const properties = {
      "kvb-origin": "replay",
      "kvb-attempt": "2",
      "kvb-original-id": "first",
      "aeg-event-type": "Notification",
      "aeg-delivery-count": 0,
      deadLetterReason: "old",
      "diagnostic-Id": "x",
    }
    const metadata = {
      messageId: "m1",
      enqueuedTimeUtc: "2026-03-01T10:00:04.123Z",
      applicationProperties: properties,
    }
    expect(read(metadata, body)).toEqual({
      body,
      messageId: "m1",
      enqueuedAt: new Date("2026-03-01T10:00:04.123Z"),
      receivedAt,
      lineage: { origin: "replay", originalId: "first", attempt: 2, replays: 0 },
      eventGridProperties: { "aeg-event-type": "Notification", "aeg-delivery-count": "0" },
    })
  })

  it.each([
    { name: "with Z", value: "2026-03-01T10:00:04Z", is: "2026-03-01T10:00:04.000Z" },
    {
      name: "without an offset, which is UTC",
      value: "2026-03-01T10:00:04.5",
      is: "2026-03-01T10:00:04.500Z",
    },
    { name: "with an offset", value: "2026-03-01T12:00:04+02:00", is: "2026-03-01T10:00:04.000Z" },
    { name: "as a Date", value: new Date("2026-03-01T10:00:04Z"), is: "2026-03-01T10:00:04.000Z" },
  ])("reads the time in the queue $name", ({ value, is }) => {
    expect(read({ enqueuedTimeUtc: value }).enqueuedAt?.toISOString()).toBe(is)
  })

  it.each([
    { name: "a number", value: 5 },
    { name: "a word", value: "soon" },
    { name: "an invalid Date", value: new Date(Number.NaN) },
    { name: "null", value: null },
  ])("does without a time in the queue that is $name", ({ value }) => {
    expect("enqueuedAt" in read({ enqueuedTimeUtc: value })).toBe(false)
  })

  it.each([
    { name: "a number, where the host parsed it", value: 123, is: "123" },
    { name: "a boolean", value: true, is: "true" },
    { name: "nothing", value: undefined, is: "" },
  ])("takes a message id that is $name for text", ({ value, is }) => {
    expect(read({ messageId: value }).messageId).toBe(is)
  })

  it("reads userProperties where there are no applicationProperties", () => {
    expect(read({ userProperties: { "kvb-attempt": 1 } }).lineage.attempt).toBe(1)
  })

  it.each([
    { name: "no metadata", metadata: undefined },
    { name: "empty metadata", metadata: {} },
    { name: "properties that are no object", metadata: { applicationProperties: "x" } },
    { name: "null properties", metadata: { applicationProperties: null } },
  ])("works with $name", ({ metadata }) => {
    expect(read(metadata)).toMatchObject({
      messageId: "",
      lineage: { attempt: 0, replays: 0 },
      eventGridProperties: {},
    })
  })

  it("takes nothing for the broker's that a top-level key of the body may have replaced", () => {
    const forged = { "kvb-replays": "0", "kvb-first-enqueued": "2020-01-01T00:00:00Z" }
    const body = {
      MessageID: "spoof",
      enqueuedTimeUtc: "2020-01-01T00:00:00Z",
      applicationProperties: forged,
    }
    const metadata = {
      messageId: "spoof",
      enqueuedTimeUtc: "2020-01-01T00:00:00Z",
      applicationProperties: forged,
      userProperties: { "kvb-replays": "3" },
    }
    const message = read(metadata, body)
    expect(message).toMatchObject({ messageId: "", lineage: { attempt: 0, replays: 3 } })
    expect("enqueuedAt" in message || "firstEnqueuedAt" in message.lineage).toBe(false)
    expect(read(metadata, [body]).messageId).toBe("spoof")
  })
})
