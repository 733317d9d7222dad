import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { collectTraces } from "../support/collectTraces.ts"
import { eventFacts, eventGridForm } from "../support/eventForms.ts"
import { type GarbageVault, startGarbageVault } from "../support/startGarbageVault.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const version = "0123456789abcdef0123456789abcdef"
const canary = createCanary(`${randomCanaryText()}\n"${randomCanaryText()}"`)
const secret = JSON.stringify(canary.value)

/** An answer of 200 that is not the version asked for, and what the worker makes of it. */
const cases = {
  "not-json": () => ({ body: `{"value": ${secret}, "id": ` }),
  "a-page": () => ({ body: `<html>${canary.value}</html>`, contentType: "text/html" }),
  binary: () => ({ body: Buffer.from(canary.value, "utf16le"), contentType: "application/octet-stream" }),
  "an-array": () => ({ body: `[${secret}]` }),
  "only-text": () => ({ body: secret }),
  "no-id": () => ({ body: `{"value": ${secret}, "attributes": {"enabled": true}}` }),
  "other-id": (id: string) => ({
    body: `{"value": ${secret}, "id": "${id.replace("other-id", "other")}", "attributes": {"enabled": true}}`,
  }),
  "value-in-id": () => ({ body: `{"value": "x", "id": ${secret}, "attributes": {"enabled": true}}` }),
  nothing: () => ({ body: "" }),
}
const names = Object.keys(cases)

describe("a vault that answers 200 with something else", () => {
  let vault: GarbageVault
  let journey: Journey

  beforeAll(async () => {
    vault = await startGarbageVault(cases)
    journey = await startJourney({
      settings: {
        ...vault.settings,
        BACKUP_VAULTS: vault.url,
        // Its secret lies in the vault that is left out here.
        BACKUP_CANARY_SECRET: "",
        BACKUP_RETRY_FIRST_DELAY: "50ms",
        BACKUP_RETRY_MAX_DELAY: "1s",
        BACKUP_RETRY_MAX_AGE: "3s",
      },
    })
    const ids = names.map((name) => `${vault.url}/secrets/${name}/${version}`)
    await journey.control(
      "POST /events",
      ids.map((id) => eventGridForm(eventFacts(id))),
    )
    await journey.settled()
  })
  afterAll(async () => {
    await journey.stop()
    await vault.stop()
  })

  it.each(names)("is asked again and again, and the change is never taken for done: %s", (name) => {
    const id = `${vault.url}/secrets/${name}/${version}`
    expect(vault.asked.get(new URL(id).pathname)).toBeGreaterThan(1)
    const outcomes = journey.outcomes(id)
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["deferred"]))
    expect(outcomes.at(-1)?.code).toBe("ERR_VAULT_RESPONSE_INVALID")
  })

  it("leaves every change in quarantine, with its code and its attempts, and nothing in the store", async () => {
    const { queue } = journey.cloud.file.serviceBus
    const messages = await journey.peek("quarantine")
    expect(messages).toHaveLength(names.length)
    for (const { applicationProperties = {} } of messages) {
      expect(applicationProperties["kvb-last-code"]).toBe("ERR_VAULT_RESPONSE_INVALID")
      expect(Number(applicationProperties["kvb-attempt"])).toBeGreaterThan(1)
    }
    expect(journey.cloud.serviceBus.counts()[queue]).toMatchObject({ deadLettered: 0 })
    expect(journey.cloud.blob.counts()[journey.cloud.file.blob.container]).toBe(0)
  })

  it("quotes no answer anywhere", async () => {
    const places = await collectTraces(journey)
    expect(places.size).toBeGreaterThan(2 * names.length)
    expect(findCanaries(places, [canary])).toEqual([])
  })
})
