import { describe, expect, it } from "vitest"
import { aRelay, aVaultChange, hourMs, minuteMs, secondMs } from "./relayFixture.ts"

const dayMs = 24 * hourMs

describe("createEventGridRelay: delivery", () => {
  it("delivers one bare object with Event Grid's properties", async () => {
    const { relay, clock, attempts } = aRelay()
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    const [message] = attempts
    const event = JSON.parse(String(message?.body)) as Record<string, unknown>
    expect(event["eventType"]).toBe("Microsoft.KeyVault.SecretNewVersionCreated")
    expect(message?.applicationProperties).toEqual({
      "aeg-subscription-name": "to-queue",
      "aeg-delivery-count": "0",
      "aeg-event-type": "Notification",
      "aeg-metadata-version": "1",
      "aeg-data-version": "1",
      "aeg-output-event-id": event["id"],
    })
    expect(message?.messageId).toMatch(/^[0-9a-f-]{36}$/)
    expect(message?.messageId).not.toBe(event["id"])
    expect(relay.counts()).toMatchObject({ pending: 0, delivered: 1 })
  })

  it("names the specification version of a CloudEvent, and no data version", async () => {
    const { relay, clock, attempts } = aRelay({ subscription: { name: "s", schema: "CloudEventSchemaV1_0" } })
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    expect(attempts[0]?.applicationProperties).toMatchObject({ "aeg-metadata-version": "1.0" })
    expect(attempts[0]?.applicationProperties).not.toHaveProperty("aeg-data-version")
  })

  it("delivers a published event as it is, and refuses what is none", async () => {
    const { relay, clock, attempts } = aRelay()
    const odd = { id: "1", eventType: "X", data: { "ObjectName ": " x" } }
    relay.publish(odd)
    await clock.advance(0)
    expect(JSON.parse(String(attempts[0]?.body))).toEqual(odd)
    expect(() => relay.publish([odd])).toThrow(TypeError)
    expect(() => relay.publish("text")).toThrow(TypeError)
  })

  it("delivers only the event types that the subscription asks for", async () => {
    const eventTypes = ["Microsoft.KeyVault.SecretNewVersionCreated"]
    const { relay, clock, attempts } = aRelay({
      subscription: { name: "s", schema: "EventGridSchema", eventTypes },
    })
    relay.publishChange(aVaultChange({ eventType: "SecretNearExpiry" }))
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    expect(attempts).toHaveLength(1)
    expect(relay.counts()).toMatchObject({ delivered: 1, filtered: 1 })
  })

  it("retries on schedule with one MessageId, until the event is a day old", async () => {
    const fixture = aRelay()
    const { relay, clock, attempts, letters } = fixture
    fixture.answer = 503
    relay.publishChange(aVaultChange())
    await clock.advance(dayMs - 1)
    const waits = [10 * secondMs, 30 * secondMs, minuteMs, 5 * minuteMs, 10 * minuteMs, 30 * minuteMs]
    waits.push(hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs)
    expect(attempts.slice(1).map(({ atMs }, n) => atMs - (attempts[n]?.atMs ?? 0))).toEqual(waits)
    expect(attempts.map(({ applicationProperties }) => applicationProperties["aeg-delivery-count"])).toEqual(
      attempts.map((_, n) => String(n)),
    )
    expect(new Set(attempts.map(({ messageId }) => messageId)).size).toBe(1)
    expect(relay.pending()).toBe(1)
    await clock.advance(1 + 5 * minuteMs)
    expect(attempts).toHaveLength(11)
    expect(letters[0]?.body).toMatchObject([{ deadLetterReason: "TimeToLiveExceeded", deliveryAttempts: 11 }])
    expect(letters[0]?.atMs).toBe(dayMs + 5 * minuteMs)
    expect(relay.pending()).toBe(0)
  })

  it("stops after the subscription's attempts", async () => {
    const subscription = { name: "s", schema: "EventGridSchema", maxAttempts: 3 } as const
    const fixture = aRelay({ subscription })
    fixture.answer = 404
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(40 * secondMs + 5 * minuteMs)
    expect(fixture.letters[0]?.body).toMatchObject([
      {
        deadLetterReason: "MaxDeliveryAttemptsExceeded",
        deliveryAttempts: 3,
        lastDeliveryOutcome: "NotFound",
      },
    ])
  })

  it("times an endpoint out after 30 s", async () => {
    const fixture = aRelay()
    fixture.answer = "never"
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(40 * secondMs - 1)
    expect(fixture.attempts).toHaveLength(1)
    await fixture.clock.advance(1)
    expect(fixture.attempts).toHaveLength(2)
  })

  it("ends the retries when an answer comes late", async () => {
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const attempts: number[] = []
    const { relay, clock } = aRelay({
      deliver: () => (attempts.push(1), answers[attempts.length - 1]!.promise),
    })
    relay.publishChange(aVaultChange())
    await clock.advance(35 * secondMs)
    answers[0]!.resolve()
    await clock.advance(hourMs)
    expect(attempts).toHaveLength(1)
    expect(relay.counts()).toMatchObject({ pending: 0, delivered: 1, failedAttempts: 1 })
  })

  it("holds new events back while the endpoint fails, and lets them go with the first success", async () => {
    const fixture = aRelay()
    const { relay, clock, attempts } = fixture
    fixture.answer = 503
    for (let n = 0; n < 10; n += 1) relay.publishChange(aVaultChange({ objectName: `first-${n}` }))
    await clock.advance(0)
    expect(attempts).toHaveLength(10)
    relay.publishChange(aVaultChange({ objectName: "held" }))
    await clock.advance(9 * secondMs)
    expect(attempts).toHaveLength(10)
    expect(relay.counts()).toMatchObject({ held: 1, pending: 11 })
    fixture.answer = 200
    await clock.advance(secondMs)
    expect(relay.counts()).toMatchObject({ held: 0, pending: 0, delivered: 11 })
  })

  it("stops with nothing planned, however much is under way", async () => {
    const fixture = aRelay()
    const { relay, clock } = fixture
    fixture.answer = 400
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    fixture.answer = 503
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    fixture.answer = "never"
    relay.publishChange(aVaultChange())
    await clock.advance(0)
    expect(clock.planned()).toBe(3)
    expect(relay.pending()).toBe(3)
    relay.stop()
    relay.stop()
    expect(clock.planned()).toBe(0)
    expect(relay.pending()).toBe(0)
    relay.publishChange(aVaultChange())
    expect(relay.pending()).toBe(0)
  })
})
