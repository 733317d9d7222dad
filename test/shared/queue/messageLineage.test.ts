import { describe, expect, it } from "vitest"
import { formatLineage, type MessageLineage, parseLineage } from "../../../shared/queue/messageLineage.ts"

const full: MessageLineage = {
  origin: "replay",
  originalId: "first-message",
  firstEnqueuedAt: new Date("2026-03-01T10:00:04.000Z"),
  retrySince: new Date("2026-03-01T10:00:05.250Z"),
  attempt: 3,
  replays: 1,
  firstCode: "ERR_VAULT_THROTTLED",
  lastCode: "ERR_STORE_FIREWALL",
  plan: "plan-7",
}

describe("formatLineage", () => {
  it("is the documented form: strings under lower-case names", () => {
    expect(formatLineage(full)).toEqual({
      "kvb-origin": "replay",
      "kvb-original-id": "first-message",
      "kvb-first-enqueued": "2026-03-01T10:00:04.000Z",
      "kvb-retry-since": "2026-03-01T10:00:05.250Z",
      "kvb-attempt": "3",
      "kvb-replays": "1",
      "kvb-first-code": "ERR_VAULT_THROTTLED",
      "kvb-last-code": "ERR_STORE_FIREWALL",
      "kvb-plan": "plan-7",
    })
  })

  it("leaves out what is absent and what is zero", () => {
    expect(formatLineage({ attempt: 0, replays: 0 })).toEqual({})
  })
})

describe("parseLineage", () => {
  it.each([
    { name: "a full one", lineage: full },
    { name: "an empty one", lineage: { attempt: 0, replays: 0 } },
  ])("reads back what was written: $name", ({ lineage }) => {
    expect(parseLineage(formatLineage(lineage))).toEqual(lineage)
  })

  it("reads values that became numbers or booleans on the way", () => {
    expect(
      parseLineage({ "kvb-attempt": 3, "kvb-replays": 2n, "kvb-original-id": 123, "kvb-plan": true }),
    ).toEqual({
      attempt: 3,
      replays: 2,
      originalId: "123",
      plan: "true",
    })
  })

  it.each([
    { name: "words", value: "many" },
    { name: "a negative number", value: "-1" },
    { name: "a fraction", value: 1.5 },
    { name: "more than can be counted", value: "1e300" },
    { name: "infinity", value: "Infinity" },
    { name: "an object", value: { three: 3 } },
    { name: "null", value: null },
    { name: "nothing", value: "" },
  ])("counts from zero where the count is $name", ({ value }) => {
    expect(parseLineage({ "kvb-attempt": value, "kvb-replays": value })).toEqual({ attempt: 0, replays: 0 })
  })

  it("leaves out an origin, a time and a text that are none", () => {
    const given = {
      "kvb-origin": "elsewhere",
      "kvb-retry-since": "soon",
      "kvb-first-enqueued": 5,
      "kvb-plan": {},
    }
    expect(parseLineage(given)).toEqual({ attempt: 0, replays: 0 })
  })

  it("reads no other properties", () => {
    expect(
      parseLineage({ attempt: 9, "KVB-ATTEMPT": 9, "aeg-event-type": "x", deadLetterReason: "x" }),
    ).toEqual({
      attempt: 0,
      replays: 0,
    })
  })
})
