import { randomUUID } from "node:crypto"
import type { ServiceBusReceivedMessage } from "@azure/service-bus"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  changeMessageForm,
  cloudEventForm,
  eventFacts,
  eventGridForm,
  untidyForm,
} from "../support/eventForms.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

type Fate =
  | { readonly is: "stored"; readonly versions: number }
  | { readonly is: "skipped"; readonly reason: string }
  | { readonly is: "quarantined"; readonly code: string; readonly alsoStored?: number }
  | { readonly is: "deadLettered" }

interface Case {
  readonly name: string
  /** The bytes of the body; `first` and `second` are versions that exist, made for this case. */
  readonly body: (first: string, second: string) => unknown
  readonly fate: Fate
}

const json = JSON.stringify
const event = (id: string) => eventGridForm(eventFacts(id))
const stored = (versions = 1): Fate => ({ is: "stored", versions })
const skipped = (reason: string): Fate => ({ is: "skipped", reason })
const quarantined = (code: string, alsoStored = 0): Fate => ({ is: "quarantined", code, alsoStored })
const deadLettered: Fate = { is: "deadLettered" }
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16()
const withType = (id: string, eventType: string) => json({ ...event(id), eventType })

/** A string as .NET's binary DataContract serializer frames it, for a length of two bytes. */
function dataContract(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(bytes.length)
  const head = Buffer.from("@\u0006string\u00083http://schemas.microsoft.com/2003/10/Serialization/")
  return Buffer.concat([head, Buffer.from([0x9b]), length, bytes])
}

const cases: readonly Case[] = [
  { name: "an event", body: (id) => json(event(id)), fate: stored() },
  {
    name: "an event with stray spaces and another case",
    body: (id) => json(untidyForm(eventFacts(id))),
    fate: stored(),
  },
  { name: "an array of one event", body: (id) => json([event(id)]), fate: stored() },
  { name: "an array of two events", body: (a, b) => json([event(a), event(b)]), fate: stored(2) },
  { name: "a CloudEvent", body: (id) => json(cloudEventForm(eventFacts(id))), fate: stored() },
  { name: "a change message", body: (id) => json(changeMessageForm(eventFacts(id))), fate: stored() },
  {
    name: "an event in base64",
    body: (id) => Buffer.from(json(event(id))).toString("base64"),
    fate: stored(),
  },
  { name: "an event quoted as a JSON string", body: (id) => json(json(event(id))), fate: stored() },
  { name: "an event behind a byte order mark", body: (id) => `\uFEFF${json(event(id))}`, fate: stored() },
  {
    name: "UTF-16 with its mark",
    body: (id) => Buffer.from(`\uFEFF${json(event(id))}`, "utf16le"),
    fate: stored(),
  },
  { name: "a DataContract string", body: (id) => dataContract(json(event(id))), fate: stored() },
  {
    name: "near expiry",
    body: (id) => withType(id, "Microsoft.KeyVault.SecretNearExpiry"),
    fate: skipped("event-type"),
  },
  {
    name: "a policy change without an object",
    body: (id) => json({ ...event(id), eventType: "Microsoft.KeyVault.VaultAccessPolicyChanged", data: {} }),
    fate: skipped("event-type"),
  },
  {
    name: "a type of Key Vault that is not known",
    body: (id) => withType(id, "Microsoft.KeyVault.SecretRotated"),
    fate: skipped("unknown-event-type"),
  },
  {
    name: "a key",
    body: (id) =>
      json(event(id))
        .replace("/secrets/", "/keys/")
        .replace("SecretNew", "KeyNew")
        .replace('"Secret"', '"Key"'),
    fate: skipped("key-event"),
  },
  {
    name: "a managed HSM",
    body: (id) => json(event(id.replace(/127\.0\.0\.1:\d+/, "hsm1.managedhsm.azure.net"))),
    fate: skipped("managed-hsm"),
  },
  { name: "nothing", body: () => "", fate: quarantined("ERR_EVENT_MALFORMED") },
  { name: "blanks", body: () => " \r\n ", fate: quarantined("ERR_EVENT_MALFORMED") },
  { name: "text", body: () => "a secret has changed", fate: quarantined("ERR_EVENT_MALFORMED") },
  {
    name: "JSON cut short",
    body: (id) => json(event(id)).slice(0, -20),
    fate: quarantined("ERR_EVENT_MALFORMED"),
  },
  {
    name: "base64 of text",
    body: () => "YSBzZWNyZXQgaGFzIGNoYW5nZWQh",
    fate: quarantined("ERR_EVENT_MALFORMED"),
  },
  { name: "a number", body: () => "42", fate: quarantined("ERR_EVENT_MALFORMED") },
  { name: "null", body: () => "null", fate: quarantined("ERR_EVENT_MALFORMED") },
  {
    name: "an object of something else",
    body: () => json({ hello: "world" }),
    fate: quarantined("ERR_EVENT_MALFORMED"),
  },
  { name: "an empty array", body: () => "[]", fate: quarantined("ERR_EVENT_MALFORMED") },
  {
    name: "an array with one event and rubbish",
    body: (id) => json([event(id), { garbage: 1 }]),
    fate: quarantined("ERR_EVENT_MALFORMED", 1),
  },
  {
    name: "an event of storage",
    body: (id) => withType(id, "Microsoft.Storage.BlobCreated"),
    fate: quarantined("ERR_EVENT_MALFORMED"),
  },
  {
    name: "members that the host copies over the broker's",
    body: (id) =>
      json({
        ...event(id),
        enqueuedTimeUtc: "2020-01-01T00:00:00Z",
        deliveryCount: "99",
        lockToken: "x",
      }),
    fate: quarantined("ERR_EVENT_COLLISION"),
  },
  {
    name: "a version that contradicts the id",
    body: (id) => json({ ...event(id), data: { ...event(id).data, Version: "f".repeat(32) } }),
    fate: quarantined("ERR_EVENT_COLLISION"),
  },
  {
    name: "UTF-16 without a mark",
    body: (id) => Buffer.from(json(event(id)), "utf16le"),
    fate: deadLettered,
  },
  {
    name: "UTF-16 the other way round, without a mark",
    body: (id) => utf16be(json(event(id))),
    fate: deadLettered,
  },
  {
    name: "Latin-1",
    body: (id) => Buffer.from(json({ ...event(id), subject: "café" }), "latin1"),
    fate: deadLettered,
  },
]

let journey: Journey
interface Sent extends Case {
  readonly messageId: string
  readonly bytes: Buffer
  readonly ids: readonly string[]
}
const sent = new Map<string, Sent>()
let quarantine: readonly ServiceBusReceivedMessage[]
let deadLetters: readonly ServiceBusReceivedMessage[]

/** What the worker reported about one message, an entry for each of its items and deliveries. */
function reportsOf({ messageId }: Sent): readonly Readonly<Record<string, unknown>>[] {
  return journey.lines
    .filter((line) => line.includes('"backup.outcome"') && line.includes(messageId))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))) as Record<string, unknown>)
}

beforeAll(async () => {
  journey = await startJourney()
  // The vault's own events are lost, so that only what is sent here tells of its versions.
  await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.queue)
  for (const [index, each] of cases.entries()) {
    const first = await journey.set(`case-${index}`, `first value of case ${index}`)
    const second = await journey.set(`case-${index}`, `second value of case ${index}`)
    const body = each.body(first, second)
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(String(body))
    const ids = [first, second]
    sent.set(each.name, { ...each, messageId: randomUUID(), bytes, ids })
  }
  await sender.sendMessages(
    [...sent.values()].map(({ bytes, messageId }) => ({
      body: bytes,
      messageId,
      applicationProperties: { "aeg-event-type": "Notification" },
    })),
  )
  await journey.settled()
  quarantine = await journey.peek("quarantine")
  deadLetters = await journey.peek("changes", "deadLetter")
})
afterAll(() => journey.stop())

const named = (is: Fate["is"]) => cases.filter(({ fate }) => fate.is === is).map(({ name }) => name)

describe("a message on the queue of changes", () => {
  it.each(named("stored"))("backs up what it tells of: %s", async (name) => {
    const message = sent.get(name)!
    const { versions } = message.fate as { versions: number }
    expect(reportsOf(message).map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: versions }, () => "stored"),
    )
    const values = await Promise.all(
      message.ids.slice(0, versions).map(async (id) => (await journey.open(id)).value),
    )
    expect(values.map((value) => value.split(" ")[0])).toEqual(["first", "second"].slice(0, versions))
  })

  it.each(named("skipped"))("is completed and counted where there is nothing to do: %s", (name) => {
    const message = sent.get(name)!
    const { reason } = message.fate as { reason: string }
    expect(reportsOf(message)).toMatchObject([{ outcome: "skipped", reason }])
  })

  it.each(named("quarantined"))("goes to quarantine with its code after one delivery: %s", async (name) => {
    const message = sent.get(name)!
    const { code, alsoStored = 0 } = message.fate as { code: string; alsoStored?: number }
    const reports = reportsOf(message)
    expect(reports.filter(({ outcome }) => outcome === "poison")).toMatchObject([{ code }])
    expect(reports.filter(({ outcome }) => outcome === "stored")).toHaveLength(alsoStored)

    const copies = quarantine.filter(
      ({ applicationProperties }) => applicationProperties?.["kvb-original-id"] === message.messageId,
    )
    expect(copies).toHaveLength(1)
    const [{ applicationProperties, messageId, body }] = copies as [ServiceBusReceivedMessage]
    expect(applicationProperties).toMatchObject({ "kvb-first-code": code, "kvb-last-code": code })
    expect(messageId).not.toBe(message.messageId)
    expect(sameJsonOrText(String(body), message.bytes.toString())).toBe(true)
  })

  it.each(named("deadLettered"))(
    "keeps its true bytes among the dead letters where they were lost on the way: %s",
    (name) => {
      const message = sent.get(name)!
      const found = deadLetters.filter(({ messageId }) => messageId === message.messageId)
      expect(found).toHaveLength(1)
      const [{ body, deadLetterReason, applicationProperties }] = found as [ServiceBusReceivedMessage]
      expect(deadLetterReason).toBe("MaxDeliveryCountExceeded")
      expect(Buffer.compare(body as Buffer, message.bytes)).toBe(0)
      expect(applicationProperties).toMatchObject({ "aeg-event-type": "Notification" })
      expect(reportsOf(message)).toHaveLength(10)
      expect(new Set(reportsOf(message).map(({ code }) => code))).toEqual(new Set(["ERR_EVENT_LOSSY"]))
    },
  )

  it("is never lost: what was sent was stored, skipped, quarantined or dead-lettered", () => {
    const all = [...sent.values()]
    const completed = all.filter((message) => {
      const outcomes = reportsOf(message).map(({ outcome }) => outcome)
      return outcomes.length > 0 && outcomes.every((outcome) => outcome === "stored" || outcome === "skipped")
    })
    expect(completed.length + quarantine.length + deadLetters.length).toBe(all.length)
    const { queue, quarantineQueue } = journey.cloud.file.serviceBus
    expect(journey.cloud.serviceBus.counts()).toMatchObject({
      [queue]: { active: 0, locked: 0, scheduled: 0, deadLettered: named("deadLettered").length },
      [quarantineQueue]: { active: named("quarantined").length, deadLettered: 0 },
    })
    const versions = cases.reduce(
      (sum, { fate }) =>
        sum + (fate.is === "stored" ? fate.versions : fate.is === "quarantined" ? (fate.alsoStored ?? 0) : 0),
      0,
    )
    expect(journey.cloud.blob.counts()[journey.cloud.file.blob.container]).toBe(versions)
  })
})

/** What the function quarantines is the text it got, or the JSON of the value that was parsed for it. */
function sameJsonOrText(copy: string, original: string): boolean {
  if (copy === original) return true
  return json(JSON.parse(copy)) === json(JSON.parse(original))
}
