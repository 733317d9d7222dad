import { describe, expect, it } from "vitest"
import { parseDeadLetterBlob } from "../../../shared/deadLetter/eventGridBlob.ts"
import { aCloudEvent, anEventGridEvent } from "../../support/builders.ts"

const dead = {
  ...anEventGridEvent(),
  deadLetterReason: "UndeliverableDueToClientError",
  deliveryAttempts: 2,
  lastDeliveryOutcome: "Forbidden",
  publishTime: "2026-03-01T10:00:00.1234567Z",
  lastDeliveryAttemptTime: "2026-03-01T10:05:00.1234567Z",
}
const cloud = {
  ...aCloudEvent(),
  deadletterreason: "MaxDeliveryAttemptsExceeded",
  deliveryattempts: 30,
  lastdeliveryoutcome: "TimedOut",
  publishtime: "2026-03-01T10:00:00.000Z",
}
const entriesOf = (text: string) => parseDeadLetterBlob(Buffer.from(text))

describe("parseDeadLetterBlob", () => {
  it("reads both spellings", () => {
    expect(entriesOf(JSON.stringify([dead, cloud]))).toEqual([
      {
        text: JSON.stringify(dead),
        reason: "UndeliverableDueToClientError/Forbidden",
        at: new Date("2026-03-01T10:05:00.123Z"),
      },
      {
        text: JSON.stringify(cloud),
        reason: "MaxDeliveryAttemptsExceeded/TimedOut",
        at: new Date("2026-03-01T10:00:00.000Z"),
      },
    ])
  })

  it.each([
    { name: "a single object", text: JSON.stringify(dead), count: 1 },
    { name: "an object with a comma too many", text: `${JSON.stringify(dead).slice(0, -1)}\n,\n}`, count: 1 },
    { name: "an array with a comma too many", text: `[${JSON.stringify(dead)},\n]`, count: 1 },
    { name: "a byte order mark", text: `\uFEFF[${JSON.stringify(dead)}]`, count: 1 },
    { name: "an array without its end", text: `[${JSON.stringify(dead)},${JSON.stringify(dead)}`, count: 2 },
  ])("reads $name", ({ text, count }) => {
    const entries = entriesOf(text)
    expect(entries).toHaveLength(count)
    for (const { text: entry, reason } of entries) {
      expect(JSON.parse(entry)).toEqual(dead)
      expect(reason).toBe("UndeliverableDueToClientError/Forbidden")
    }
  })

  it("keeps a bad entry to itself, as it is written", () => {
    const entries = entriesOf(
      `[${JSON.stringify(dead)}, {"a": nonsense}, 7, "x,y]", ${JSON.stringify(cloud)}]`,
    )
    expect(entries.map(({ text }) => text)).toEqual([
      JSON.stringify(dead),
      '{"a": nonsense}',
      "7",
      '"x,y]"',
      JSON.stringify(cloud),
    ])
    expect(entries.map(({ reason }) => reason !== undefined)).toEqual([true, false, false, false, true])
  })

  it.each([
    { name: "text", text: "no JSON at all", entries: ["no JSON at all"] },
    { name: "nothing", text: "", entries: [] },
    { name: "an empty array", text: "[]", entries: [] },
    { name: "text after the array", text: '[{"a":1}] tail', entries: ['{"a":1} tail'] },
    { name: "a number", text: "12", entries: ["12"] },
  ])("lets nothing of $name get lost", ({ text, entries }) => {
    expect(entriesOf(text).map((entry) => entry.text)).toEqual(entries)
  })

  it("takes a comma within text for text", () => {
    const text = JSON.stringify({ ...dead, subject: ',} ,] \\" ,}' })
    expect(entriesOf(`[${text.slice(0, -1)},}]`)).toMatchObject([{ text }])
  })

  it("tells no reason where members contradict each other or are no text", () => {
    expect(entriesOf(JSON.stringify({ deadLetterReason: "A", deadletterreason: "B" }))[0]).not.toHaveProperty(
      "reason",
    )
    expect(entriesOf(JSON.stringify({ deadLetterReason: 7, publishTime: "yesterday" }))).toEqual([
      { text: '{"deadLetterReason":7,"publishTime":"yesterday"}' },
    ])
  })
})
