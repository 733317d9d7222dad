import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { classify } from "../../../shared/deadLetter/classify.ts"
import {
  everything,
  parseObjectUrl,
  type ReplayFilter,
  selects,
} from "../../../shared/deadLetter/replayFilter.ts"
import { anObject, vault } from "../../support/builders.ts"
import { aDeadLetter } from "./aDeadLetter.ts"

const allowList = createAllowList([vault])
const url = `${vault}/secrets/db-password`
const { version } = anObject()

function isSelected(filter: Partial<ReplayFilter>, letter: Parameters<typeof aDeadLetter>[0] = {}) {
  const made = aDeadLetter(letter)
  return selects({ ...everything, ...filter }, made, classify(made, allowList))
}

describe("selects", () => {
  it.each([
    { name: "everything", filter: {}, is: true },
    { name: "its source", filter: { from: ["dead-letter"] as const }, is: true },
    { name: "other sources", filter: { from: ["quarantine", "event-grid"] as const }, is: false },
    { name: "its cause in any case", filter: { reasons: ["x", "ttlexpiredexception"] }, is: true },
    { name: "other causes", filter: { reasons: ["TTL"] }, is: false },
    { name: "its vault", filter: { vault }, is: true },
    { name: "another vault", filter: { vault: "https://kv-test" }, is: false },
    { name: "its object", filter: { object: url }, is: true },
    {
      name: "its object as a certificate",
      filter: { object: url.replace("secrets", "certificates") },
      is: true,
    },
    { name: "its version", filter: { object: `${url}/${version}` }, is: true },
    { name: "another version", filter: { object: `${url}/${"f".repeat(32)}` }, is: false },
    { name: "another object", filter: { object: `${url}2` }, is: false },
    { name: "what is older than it", filter: { before: new Date("2026-03-01T10:00:01.000Z") }, is: false },
    { name: "what is as old", filter: { before: new Date("2026-03-01T10:00:01.001Z") }, is: true },
    { name: "what was replayed less often", filter: { attempts: 1 }, is: false },
    { name: "what was replayed at most as often", filter: { attempts: 2 }, is: true },
  ])("says $is for a filter of $name", ({ filter, is }) => {
    const letter = { reason: "TTLExpiredException", properties: { "kvb-replays": "2" } }
    expect(isSelected(filter, letter)).toBe(is)
  })

  it("selects by either part of a cause of Event Grid", () => {
    const letter = { source: "event-grid", reason: "MaxDeliveryAttemptsExceeded/Forbidden" } as const
    expect(isSelected({ reasons: ["Forbidden"] }, letter)).toBe(true)
    expect(isSelected({ reasons: ["MaxDeliveryAttemptsExceeded"] }, letter)).toBe(true)
    expect(isSelected({ reasons: ["MaxDelivery"] }, letter)).toBe(false)
  })

  it("selects what holds no change only when neither vault nor object is asked for", () => {
    expect(isSelected({}, { body: "{}" })).toBe(true)
    expect(isSelected({ vault }, { body: "{}" })).toBe(false)
    expect(isSelected({ object: url }, { body: "{}" })).toBe(false)
  })

  it("does not select by age what has none", () => {
    const { at: _at, ...made } = aDeadLetter()
    expect(selects({ ...everything, before: new Date() }, made, classify(made, allowList))).toBe(false)
  })
})

describe("parseObjectUrl", () => {
  it.each([
    { name: "an object", text: "https://KV-test.vault.azure.net:443/secrets/Db-Password/", is: url },
    { name: "a version", text: ` ${url}/${version.toUpperCase()} `, is: `${url}/${version}` },
    {
      name: "a port",
      text: "https://127.0.0.1:8443/certificates/a",
      is: "https://127.0.0.1:8443/certificates/a",
    },
  ])("takes $name", ({ text, is }) => {
    expect(parseObjectUrl(text)).toBe(is)
  })

  it.each([
    "db-password",
    "http://a/secrets/b",
    "https://a/keys/b",
    `${url}/1`,
    `${url}?x=1`,
    "https://u@a/secrets/b",
  ])("refuses %s", (text) => {
    expect(() => parseObjectUrl(text)).toThrow(expect.objectContaining({ code: "ERR_CONFIG_INVALID" }))
  })
})
