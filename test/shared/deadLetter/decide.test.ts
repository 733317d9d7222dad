import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { classify } from "../../../shared/deadLetter/classify.ts"
import { type Circumstances, decide } from "../../../shared/deadLetter/decide.ts"
import { anEventGridEvent, anObject, vault } from "../../support/builders.ts"
import { aDeadLetter } from "./aDeadLetter.ts"

const allowList = createAllowList([vault])
const event = (version: number) => anEventGridEvent(anObject({ version }))
const both = JSON.stringify([event(1), event(2)])
const mixed = JSON.stringify([event(1), { garbage: 1 }])
const held = { source: "quarantine", place: "keyvault-changes-quarantine" } as const

function decided(letter: Parameters<typeof aDeadLetter>[0], more: Partial<Circumstances> = {}) {
  const made = aDeadLetter(letter)
  return decide(made, classify(made, allowList), {
    wasSent: false,
    isProtected: () => false,
    replayMax: 3,
    isNamed: false,
    ...more,
  })
}
const protects = (...versions: number[]) => ({
  isProtected: ({ object }: { readonly object: { readonly version: string } }) =>
    versions.some((version) => anObject({ version }).version === object.version),
})

describe("decide", () => {
  it.each([
    {
      name: "sends what is not protected",
      letter: {},
      is: { action: "send", why: "not protected", changes: [] },
    },
    {
      name: "removes what is",
      letter: {},
      more: protects(1),
      is: { action: "remove", why: "already protected" },
    },
    {
      name: "sends when one of two is not protected",
      letter: { body: both },
      more: protects(1),
      is: { action: "send" },
    },
    { name: "removes when both are", letter: { body: both }, more: protects(1, 2), is: { action: "remove" } },
    {
      name: "removes what nobody backs up",
      letter: { body: JSON.stringify({ ...event(1), eventType: "Microsoft.KeyVault.KeyNearExpiry" }) },
      is: { action: "remove", why: "nothing to back up" },
    },
    {
      name: "moves what only a person can decide about to quarantine",
      letter: { body: "{}" },
      is: { action: "quarantine", code: "ERR_EVENT_MALFORMED" },
    },
    { name: "leaves it where it is there already", letter: { body: "{}", ...held }, is: { action: "leave" } },
    {
      name: "takes it back from quarantine's own dead letters",
      letter: { body: "{}", ...held, place: "keyvault-changes-quarantine/$DeadLetterQueue" },
      is: { action: "quarantine" },
    },
    { name: "sends a good event beside a bad one", letter: { body: mixed }, is: { action: "send" } },
    {
      name: "quarantines a bad event beside one that is protected",
      letter: { body: mixed },
      more: protects(1),
      is: { action: "quarantine", code: "ERR_EVENT_MALFORMED" },
    },
    {
      name: "puts what was replayed often enough into quarantine",
      letter: { properties: { "kvb-replays": "3" } },
      is: { action: "quarantine", why: "replayed 3 times or more" },
    },
    {
      name: "leaves it there",
      letter: { ...held, properties: { "kvb-replays": 3 } },
      is: { action: "leave" },
    },
    {
      name: "sends it once more when it is named",
      letter: { ...held, properties: { "kvb-replays": "3" } },
      more: { isNamed: true },
      is: { action: "send" },
    },
    {
      name: "sends it below the cap",
      letter: { properties: { "kvb-replays": "2" } },
      is: { action: "send" },
    },
    { name: "only removes what was sent", letter: {}, more: { wasSent: true }, is: { action: "remove" } },
    {
      name: "leaves what another tool put aside",
      letter: { state: "aside" as const },
      is: { action: "leave" },
    },
  ])("$name", ({ letter, more = {}, is }) => {
    expect(decided(letter, more)).toMatchObject(is)
  })

  it("sends of a body that is read apart the changes that are not protected, and the rest to quarantine", () => {
    const body = Buffer.from(JSON.stringify([event(1), event(2), { garbage: 1 }]), "utf16le")
    const decision = decided({ body }, protects(1))
    expect(decision).toMatchObject({ action: "send", code: "ERR_EVENT_MALFORMED" })
    expect(decision.changes.map(({ object }) => object)).toEqual([anObject({ version: 2 })])
  })
})
