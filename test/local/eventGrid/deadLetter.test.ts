import { describe, expect, it } from "vitest"
import { deadLetterPath } from "../../../local/eventGrid/deadLetter.ts"
import { aRelay, aVaultChange, hourMs, minuteMs, secondMs } from "./relayFixture.ts"

const stamp = expect.stringMatching(/^2026-02-03T04:05:06\.789\d{4}Z$/) as unknown

describe("createEventGridRelay: dead letters", () => {
  it.each([
    [400, "UndeliverableDueToHttpBadRequest", "BadRequest"],
    [403, "UndeliverableDueToHttpForbidden", "Forbidden"],
    [413, "UndeliverableDueToHttpRequestEntityTooLarge", "PayloadTooLarge"],
  ])("does not retry %i and writes it five minutes later", async (status, reason, outcome) => {
    const fixture = aRelay()
    fixture.answer = status
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(5 * minuteMs - 1)
    expect(fixture.letters).toEqual([])
    expect(fixture.relay.counts()).toMatchObject({ pending: 1, deadLettering: 1 })
    await fixture.clock.advance(1)
    expect(fixture.attempts).toHaveLength(1)
    const event = JSON.parse(String(fixture.attempts[0]?.body)) as Record<string, unknown>
    expect(fixture.letters[0]?.body).toEqual([
      {
        ...event,
        deadLetterReason: reason,
        deliveryAttempts: 1,
        lastDeliveryOutcome: outcome,
        lastHttpStatusCode: status,
        publishTime: stamp,
        lastDeliveryAttemptTime: stamp,
      },
    ])
    expect(fixture.relay.counts()).toMatchObject({ pending: 0, deadLettered: 1, dropped: 0 })
  })

  it("spells the members in lower case for CloudEvents", async () => {
    const fixture = aRelay({ subscription: { name: "s", schema: "CloudEventSchemaV1_0" } })
    fixture.answer = 400
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(5 * minuteMs)
    const event = JSON.parse(String(fixture.attempts[0]?.body)) as Record<string, unknown>
    expect(fixture.letters[0]?.body).toEqual([
      {
        ...event,
        deadletterreason: "UndeliverableDueToHttpBadRequest",
        deliveryattempts: 1,
        lastdeliveryoutcome: "BadRequest",
        publishtime: stamp,
        lastdeliveryattempttime: stamp,
      },
    ])
  })

  it("writes under the subscription in capitals and the UTC hour without zeros", async () => {
    const fixture = aRelay()
    fixture.answer = 400
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(5 * minuteMs)
    expect(fixture.letters[0]?.path).toMatch(/^TO-QUEUE\/2026\/2\/3\/4\/[0-9a-f-]{36}\.json$/)
    expect(deadLetterPath("sub", new Date("2026-12-31T23:00:00Z"), "g")).toBe("SUB/2026/12/31/23/g.json")
  })

  it("puts events of the same moment into one blob, later ones into another", async () => {
    const fixture = aRelay()
    fixture.answer = 400
    for (let n = 0; n < 3; n += 1) fixture.relay.publishChange(aVaultChange({ objectName: `n-${n}` }))
    await fixture.clock.advance(11 * secondMs)
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(6 * minuteMs)
    expect(fixture.letters.map(({ body }) => body.length)).toEqual([3, 1])
  })

  it("keeps trying an unreachable container, then drops after four hours", async () => {
    const fixture = aRelay()
    fixture.answer = 400
    fixture.container = "unavailable"
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(5 * minuteMs + 4 * hourMs - 1)
    expect(fixture.relay.counts()).toMatchObject({ pending: 1, dropped: 0 })
    await fixture.clock.advance(minuteMs)
    expect(fixture.relay.counts()).toMatchObject({ pending: 0, dropped: 1, deadLettered: 0 })
  })

  it("writes once the container is back", async () => {
    const fixture = aRelay()
    fixture.answer = 400
    fixture.container = "unavailable"
    fixture.relay.publishChange(aVaultChange())
    await fixture.clock.advance(hourMs)
    fixture.container = "ok"
    await fixture.clock.advance(minuteMs)
    expect(fixture.letters).toHaveLength(1)
    expect(fixture.relay.counts()).toMatchObject({ pending: 0, deadLettered: 1 })
  })

  it("drops at once when the container does not exist, or none is set", async () => {
    const missing = aRelay()
    missing.answer = 400
    missing.container = "missing"
    missing.relay.publishChange(aVaultChange())
    await missing.clock.advance(5 * minuteMs)
    expect(missing.relay.counts()).toMatchObject({ pending: 0, dropped: 1 })

    const { relay, clock } = aRelay()
    relay.stop()
    const none = aRelay({ deadLetter: undefined as never })
    none.answer = 400
    none.relay.publishChange(aVaultChange())
    await none.clock.advance(0)
    expect(none.relay.counts()).toMatchObject({ pending: 0, dropped: 1 })
    expect(clock.planned()).toBe(0)
  })
})
