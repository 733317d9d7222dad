import { describe, expect, it } from "vitest"
import { aRelay, aVaultChange, minuteMs, secondMs, type RelayFixture } from "./relayFixture.ts"

const namesOf = ({ attempts }: RelayFixture) =>
  attempts.map(({ body }) => (JSON.parse(body.toString()) as { subject: string }).subject)
const publish = ({ relay }: RelayFixture, ...names: string[]) => {
  for (const objectName of names) relay.publishChange(aVaultChange({ objectName }))
}

describe("createEventGridRelay: faults", () => {
  it("duplicates with the same MessageId", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "duplicate", count: 1 })
    publish(fixture, "a", "b")
    await fixture.clock.advance(0)
    expect(namesOf(fixture).sort()).toEqual(["a", "a", "b"])
    const ids = fixture.attempts
      .filter((_, n) => namesOf(fixture)[n] === "a")
      .map(({ messageId }) => messageId)
    expect(new Set(ids).size).toBe(1)
    expect(fixture.relay.counts()).toMatchObject({ delivered: 2, pending: 0 })
  })

  it("drops without a trace but the count", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", match: { path: "/a" }, effect: "drop" })
    publish(fixture, "a", "b")
    await fixture.clock.advance(minuteMs)
    expect(namesOf(fixture)).toEqual(["b"])
    expect(fixture.relay.counts()).toMatchObject({ delivered: 1, dropped: 1, pending: 0 })
  })

  it("lets the next event overtake, or goes on after a while", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "reorder", count: 1 })
    publish(fixture, "a")
    await fixture.clock.advance(secondMs)
    publish(fixture, "b", "c")
    await fixture.clock.advance(0)
    expect(namesOf(fixture).indexOf("b")).toBeLessThan(namesOf(fixture).indexOf("a"))
    fixture.faults.add({ target: "eventgrid", effect: "reorder", count: 1 })
    publish(fixture, "alone")
    await fixture.clock.advance(2 * secondMs)
    expect(namesOf(fixture)).toContain("alone")
    expect(fixture.relay.pending()).toBe(0)
  })

  it("delays one delivery", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "delay", delayMs: 5000, count: 1 })
    publish(fixture, "a")
    await fixture.clock.advance(4999)
    expect(fixture.attempts).toEqual([])
    await fixture.clock.advance(1)
    expect(namesOf(fixture)).toEqual(["a"])
  })

  it("fails with a status without sending, and retries or gives up by the status", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "status", status: 503, count: 1 })
    fixture.faults.add({ target: "eventgrid", effect: "status", status: 403, code: "NoSender", count: 1 })
    publish(fixture, "retried", "refused")
    await fixture.clock.advance(5 * minuteMs)
    expect(namesOf(fixture)).toEqual(["retried"])
    expect(fixture.attempts[0]?.atMs).toBe(10 * secondMs)
    expect(fixture.letters[0]?.body).toMatchObject([
      { subject: "refused", lastDeliveryOutcome: "NoSender", lastHttpStatusCode: 403 },
    ])
  })

  it("sends, loses the answer and sends again", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "cut", count: 1 })
    publish(fixture, "a")
    await fixture.clock.advance(10 * secondMs)
    expect(namesOf(fixture)).toEqual(["a", "a"])
    expect(fixture.relay.counts()).toMatchObject({ delivered: 1, failedAttempts: 1 })
  })

  it("hangs until the attempt times out", async () => {
    const fixture = aRelay()
    fixture.faults.add({ target: "eventgrid", effect: "hang", count: 1 })
    publish(fixture, "a")
    await fixture.clock.advance(40 * secondMs)
    expect(fixture.attempts[0]?.atMs).toBe(40 * secondMs)
  })
})
