import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { classify } from "../../../shared/deadLetter/classify.ts"
import { anEventGridEvent, anObject, vault } from "../../support/builders.ts"
import { aDeadLetter } from "./aDeadLetter.ts"

const allowList = createAllowList([vault])
const event = JSON.stringify(anEventGridEvent())

describe("classify", () => {
  it.each([
    {
      name: "the last code it carries, whatever the broker says",
      letter: { properties: { "kvb-last-code": "ERR_VAULT_FORBIDDEN" }, reason: "MaxDeliveryCountExceeded" },
      cause: "ERR_VAULT_FORBIDDEN",
    },
    {
      name: "what is wrong with it now",
      letter: { body: "{}", reason: "Anything" },
      cause: "ERR_EVENT_MALFORMED",
    },
    {
      name: "that its bytes are no UTF-8",
      letter: { body: Buffer.from(event, "utf16le"), reason: "MaxDeliveryCountExceeded" },
      cause: "ERR_EVENT_LOSSY",
    },
    { name: "the broker's reason", letter: { reason: "TTLExpiredException" }, cause: "TTLExpiredException" },
    { name: "unknown", letter: {}, cause: "unknown" },
    {
      name: "a stranger's words, quoted and cut",
      letter: { reason: `it\u001b[31m broke ${"x".repeat(200)}` },
      cause: `"it\\u001b[31m broke ${"x".repeat(56)}..."`,
    },
  ])("gives as the cause $name", ({ letter, cause }) => {
    expect(classify(aDeadLetter(letter), allowList).cause).toBe(cause)
  })

  it("reads what can be sent as it is", () => {
    expect(classify(aDeadLetter(), allowList)).toMatchObject({
      changes: [{ object: anObject() }],
      form: "same",
      lineage: { attempt: 0, replays: 0 },
    })
  })

  it("reads what can only be sent as change messages", () => {
    const lossy = classify(aDeadLetter({ body: Buffer.from(event, "utf16le") }), allowList)
    expect(lossy).toMatchObject({ changes: [{ object: anObject() }], form: "changes" })
    expect(lossy).not.toHaveProperty("poison")
    const fromEventGrid = classify(aDeadLetter({ source: "event-grid" }), allowList)
    expect(fromEventGrid).toMatchObject({ changes: [{ object: anObject() }], form: "changes" })
  })

  it("tells what cannot be decoded", () => {
    const letter = aDeadLetter({ body: Buffer.from([0xff, 0, 0x81]) })
    expect(classify(letter, allowList)).toMatchObject({
      cause: "ERR_EVENT_LOSSY",
      changes: [],
      poison: { code: "ERR_EVENT_LOSSY" },
      form: "same",
    })
  })

  it("judges by the allow-list as it is now", () => {
    const letter = aDeadLetter({ properties: { "kvb-last-code": "ERR_EVENT_NOT_ALLOWED" } })
    expect(classify(letter, createAllowList([]))).toMatchObject({
      changes: [],
      poison: { code: "ERR_EVENT_NOT_ALLOWED" },
    })
    expect(classify(letter, allowList)).toMatchObject({ cause: "ERR_EVENT_NOT_ALLOWED", changes: [{}] })
  })
})
