import { describe, expect, it } from "vitest"
import { changeToReplay, copyToQuarantine, copyToReplay } from "../../../shared/deadLetter/messageCopy.ts"
import { aChange, anObject } from "../../support/builders.ts"
import { aDeadLetter } from "./aDeadLetter.ts"

const options = { messageId: "fresh", plan: "p".repeat(64) }
const when = new Date("2026-02-03T04:05:06.789Z")
const theirs = {
  "aeg-output-event-id": "e1",
  text: "ü",
  yes: true,
  no: false,
  when,
  int: 42,
  negative: -7,
  float: 1.5,
  nothing: null,
}
const letter = aDeadLetter({
  body: Buffer.from([0, 255, 1]),
  properties: {
    ...theirs,
    DeadLetterReason: "MaxDeliveryCountExceeded",
    deadLetterErrorDescription: "d",
    "kvb-origin": "live",
    "kvb-retry-since": "2026-03-01T09:00:00.000Z",
    "kvb-attempt": "9",
    "kvb-replays": "1",
    "kvb-last-code": "ERR_VAULT_THROTTLED",
  },
  envelope: { contentType: "application/json", correlationId: "c", subject: "s", to: "t", sessionId: "x" },
  reason: "MaxDeliveryCountExceeded",
})

describe("copyToReplay", () => {
  const copy = copyToReplay(letter, options)

  it("keeps body and whatever is the sender's", () => {
    expect(copy.body).toBe(letter.body)
    expect(copy.envelope).toMatchObject({
      bodyType: "data",
      contentType: "application/json",
      correlationId: "c",
      subject: "s",
      to: "t",
      sessionId: "x",
    })
    expect(copy.envelope.properties).toMatchObject(theirs)
  })

  it("has an id of its own, no sign of death or deferral, and its lineage", () => {
    expect(copy).toMatchObject({ queue: "changes", messageId: "fresh" })
    const { properties } = copy.envelope
    expect(Object.fromEntries(Object.entries(properties).filter(([name]) => !(name in theirs)))).toEqual({
      "kvb-origin": "replay",
      "kvb-original-id": "m17",
      "kvb-first-enqueued": "2026-03-01T10:00:01.000Z",
      "kvb-replays": "2",
      "kvb-first-code": "ERR_VAULT_THROTTLED",
      "kvb-last-code": "ERR_VAULT_THROTTLED",
      "kvb-plan": options.plan,
    })
  })

  it("keeps what an earlier copy said of the first message", () => {
    const properties = {
      "kvb-original-id": "first",
      "kvb-first-enqueued": "2026-01-01T00:00:00.000Z",
      "kvb-first-code": "ERR_STORE_FIREWALL",
    }
    expect(copyToReplay(aDeadLetter({ properties }), options).envelope.properties).toMatchObject(properties)
  })

  it("knows no first message of what was never in a queue", () => {
    const entry = aDeadLetter({ source: "event-grid", reason: "MaxDeliveryAttemptsExceeded/Forbidden" })
    expect(copyToReplay(entry, options).envelope.properties).toEqual({
      "kvb-origin": "replay",
      "kvb-replays": "1",
      "kvb-first-code": "MaxDeliveryAttemptsExceeded/Forbidden",
      "kvb-plan": options.plan,
    })
  })
})

describe("changeToReplay", () => {
  it("carries the change in the place of the bytes, and the same properties", () => {
    const copy = changeToReplay(letter, aChange({ object: anObject() }), options)
    expect(JSON.parse(String(copy.body))).toMatchObject({
      change: { format: "keyvault-change/1", origin: "replay", eventTime: "2026-03-01T10:00:00.1234567Z" },
    })
    expect(copy.envelope).toMatchObject({ bodyType: "data", contentType: "application/json" })
    expect(copy.envelope.properties).toEqual(copyToReplay(letter, options).envelope.properties)
  })
})

describe("copyToQuarantine", () => {
  it("keeps the whole history and adds the code", () => {
    const copy = copyToQuarantine(letter, { ...options, code: "ERR_EVENT_LOSSY" })
    expect(copy).toMatchObject({ queue: "quarantine", messageId: "fresh", body: letter.body })
    expect(copy.envelope.properties).toMatchObject({
      ...theirs,
      "kvb-retry-since": "2026-03-01T09:00:00.000Z",
      "kvb-attempt": "9",
      "kvb-replays": "1",
      "kvb-first-code": "ERR_VAULT_THROTTLED",
      "kvb-last-code": "ERR_EVENT_LOSSY",
    })
    expect(Object.keys(copy.envelope.properties).map((name) => name.toLowerCase())).not.toContain(
      "deadletterreason",
    )
  })

  it("gives the broker's reason where nothing else is known", () => {
    const { properties } = copyToQuarantine(aDeadLetter({ reason: "TTLExpiredException" }), options).envelope
    expect(properties).toMatchObject({
      "kvb-first-code": "TTLExpiredException",
      "kvb-last-code": "TTLExpiredException",
    })
  })
})
