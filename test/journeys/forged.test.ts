import type { ServiceBusReceivedMessage } from "@azure/service-bus"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { changeMessageForm, cloudEventForm, eventFacts, eventGridForm } from "../support/eventForms.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const lookups = new URL("../support/printLookups.ts", import.meta.url)
const version = "0123456789abcdef0123456789abcdef"

let journey: Journey
/** `127.0.0.1:PORT` of the only vault that is backed up. */
let host: string

/** Requests that a rule of this kind let pass. */
const hitsOf = (target: string) => journey.cloud.faults.list().find((rule) => rule.target === target)?.hits

beforeAll(async () => {
  journey = await startJourney({ settings: { NODE_OPTIONS: `--import ${lookups.href}` } })
  host = new URL(journey.cloud.file.vaults[0]!.url).host
  // Rules that change nothing and count: tokens for vaults, and any request that the worker makes to the vault.
  await journey.control("POST /faults", [
    { target: "identity", match: { path: "vault.azure.net" }, effect: "delay", delayMs: 0 },
    { target: "keyvault", match: { job: "backup" }, effect: "delay", delayMs: 0 },
  ])
})
afterAll(() => journey.stop())

/** Publishes `event`, and returns what it left in quarantine. */
async function quarantineOf(event: object): Promise<ServiceBusReceivedMessage> {
  await journey.control("POST /events", event)
  await journey.settled()
  const receiver = journey.serviceBus.createReceiver(journey.cloud.file.serviceBus.quarantineQueue, {
    skipParsingBodyAsJson: true,
  })
  const { quarantineQueue } = journey.cloud.file.serviceBus
  expect(journey.cloud.serviceBus.counts()[quarantineQueue]).toMatchObject({ active: 1, locked: 0 })
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 2000 })
  await receiver.completeMessage(message!)
  await receiver.close()
  return message!
}

/** What the worker looked up; its own two addresses come from its settings. */
const lookedUp = () =>
  new Set(journey.lines.flatMap((line) => /^functions: lookup (.*)$/.exec(line)?.[1] ?? []))

interface Forgery {
  readonly name: string
  readonly url: () => string
  readonly code: string
}

const forgeries: readonly Forgery[] = [
  {
    name: "a host that begins like a vault",
    url: () => `https://local-vault.vault.azure.net.evil.example/secrets/a/${version}`,
    code: "ERR_EVENT_NOT_ALLOWED",
  },
  {
    name: "another vault",
    url: () => `https://other-kv.vault.azure.net/secrets/a/${version}`,
    code: "ERR_EVENT_NOT_ALLOWED",
  },
  {
    name: "another port",
    url: () => `https://127.0.0.1:8443/secrets/a/${version}`,
    code: "ERR_EVENT_NOT_ALLOWED",
  },
  {
    name: "another name of the vault's address",
    url: () => `https://localhost:${host.split(":")[1]}/secrets/a/${version}`,
    code: "ERR_EVENT_NOT_ALLOWED",
  },
  {
    name: "the vault's address before a longer host",
    url: () => `https://${host}.evil.example/secrets/a/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "user info before the vault's host",
    url: () => `https://evil.example@${host}/secrets/a/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "the vault's host as user info",
    url: () => `https://${host}@evil.example/secrets/a/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "a path that climbs to another secret",
    url: () => `https://${host}/secrets/a/${version}/../../b/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "a path that climbs, encoded",
    url: () => `https://${host}/secrets/a%2F..%2Fb/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "a scheme without TLS",
    url: () => `http://${host}/secrets/a/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
  {
    name: "a line break in the name",
    url: () => `https://${host}/secrets/a\r\nX-Evil: 1/${version}`,
    code: "ERR_EVENT_MALFORMED",
  },
]

describe("a forged event", () => {
  describe.each(forgeries)("with $name", ({ url, code }) => {
    it.each([
      { form: "the Event Grid schema", build: eventGridForm },
      { form: "a CloudEvent", build: cloudEventForm },
    ])("as $form goes to quarantine with its code, after one delivery", async ({ build }) => {
      const seen = journey.outcomes().length
      const event = build(eventFacts(url()))
      const message = await quarantineOf(event)
      expect(JSON.parse(String(message.body))).toEqual(event)
      expect(message.applicationProperties).toMatchObject({
        "kvb-first-code": code,
        "kvb-last-code": code,
        "aeg-event-type": "Notification",
      })
      expect(
        journey
          .outcomes()
          .slice(seen)
          .map(({ outcome }) => outcome),
      ).toEqual(["poison"])
    })
  })

  it("goes there as a change message, too", async () => {
    const [{ url, code }] = forgeries as [Forgery]
    const message = await quarantineOf(changeMessageForm(eventFacts(url())))
    expect(message.applicationProperties).toMatchObject({ "kvb-last-code": code })
  })

  it("goes there when it names the right version and contradicts it", async () => {
    const right = eventGridForm(eventFacts(`https://${host}/secrets/a/${version}`))
    for (const data of [
      { ...right.data, VaultName: "other-kv" },
      { ...right.data, ObjectName: "b" },
      { ...right.data, Version: version.replace("0", "f") },
    ]) {
      const message = await quarantineOf({ ...right, data })
      expect(message.applicationProperties).toMatchObject({ "kvb-last-code": "ERR_EVENT_COLLISION" })
    }
  })

  it("made the worker ask for no vault token, call no vault and look up no name", () => {
    expect(hitsOf("identity")).toBe(0)
    expect(hitsOf("keyvault")).toBe(0)
    expect([...lookedUp()].toSorted()).toEqual(["127.0.0.1", "localhost"])
    const { queue } = journey.cloud.file.serviceBus
    expect(journey.cloud.serviceBus.counts()[queue]).toMatchObject({ active: 0, locked: 0, deadLettered: 0 })
    expect(journey.cloud.blob.counts()[journey.cloud.file.blob.container]).toBe(0)
  })

  it("does not keep the worker from the next true one, for which it does all of that", async () => {
    const id = await journey.set("true", "value")
    await journey.settled()
    expect((await journey.open(id)).value).toBe("value")
    expect(hitsOf("identity")).toBeGreaterThan(0)
    expect(hitsOf("keyvault")).toBeGreaterThan(0)
  })
})
