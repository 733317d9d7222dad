import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { BackupRecord } from "../../shared/record/record.ts"
import {
  changeMessageForm,
  cloudEventForm,
  eventFacts,
  eventGridForm,
  untidyForm,
} from "../support/eventForms.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

let journey: Journey

beforeAll(async () => {
  journey = await startJourney()
})
afterAll(() => journey.stop())

/** Sets a secret whose own event is lost on the way. */
async function setUnheard(name: string, value: string): Promise<string> {
  await journey.control("POST /faults", {
    target: "eventgrid",
    match: { path: `/${name}` },
    effect: "drop",
    count: 1,
  })
  const id = await journey.set(name, value)
  await journey.settled()
  expect(journey.cloud.faults.list()).toEqual([])
  expect(journey.outcomes(id)).toEqual([])
  return id
}

const blobOf = (id: string) => ({ container: journey.cloud.file.blob.container, name: recordNameOf(id) })

describe("exactly the version that changed", () => {
  it("is stored when its event comes after the next version is", async () => {
    const first = await setUnheard("overtaken", "value of the first version")
    const second = await journey.set("overtaken", "value of the second version")
    await journey.settled()
    journey.cloud.eventGrid.repeat(first)
    await journey.settled()

    expect(journey.outcomes().map(({ id }) => id)).toEqual([second, first])
    expect(journey.outcomes().map(({ outcome }) => outcome)).toEqual(["stored", "stored"])
    expect((await journey.open(first)).value).toBe("value of the first version")
    expect((await journey.open(second)).value).toBe("value of the second version")
    expect((await journey.secrets.getSecret("overtaken")).value).toBe("value of the second version")
  })

  it("is stored once for a hundred copies of its event, each of which is completed", async () => {
    const id = await setUnheard("hundredfold", "value")
    const puts = () => journey.activities.filter(({ kind }) => kind === "stored").length
    const [putsBefore, deliveredBefore] = [puts(), journey.cloud.eventGrid.counts().delivered]

    const event = eventGridForm(eventFacts(id))
    await journey.control(
      "POST /events",
      Array.from({ length: 100 }, () => event),
    )
    await journey.settled()

    const outcomes = journey.outcomes(id).map(({ outcome }) => outcome)
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 99 }, () => "alreadyStored"), "stored"])
    expect(puts() - putsBefore).toBe(1)
    expect(journey.cloud.blob.backdoor.names(blobOf(id).container, recordNameOf(id))).toHaveLength(1)
    // Every message was delivered to the queue, none of them is left anywhere, and none was given up.
    const { queue, quarantineQueue } = journey.cloud.file.serviceBus
    expect(journey.cloud.eventGrid.counts().delivered - deliveredBefore).toBe(100)
    const nothing = { active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 }
    expect(journey.cloud.serviceBus.counts()).toEqual({ [queue]: nothing, [quarantineQueue]: nothing })
  })

  it("gives one record, whichever form of message tells of it", async () => {
    const id = await setUnheard("in-four-forms", "value told of in four forms")
    const facts = eventFacts(id)
    const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.queue)
    const records: BackupRecord[] = []
    const ledgers: Readonly<Record<string, string>>[] = []
    for (const form of [eventGridForm, untidyForm, cloudEventForm, changeMessageForm]) {
      const body = form(facts)
      if ("change" in body) await sender.sendMessages({ body, contentType: "application/json" })
      else await journey.control("POST /events", body)
      await journey.settled()
      records.push(await journey.open(id))
      ledgers.push(await journey.metadata(id))
      // Nobody can do this in Azure; here it makes room for the next form.
      expect(await journey.cloud.blob.backdoor.remove(blobOf(id))).toBe(true)
    }

    const [first] = records
    expect(first).toMatchObject({
      object: { id },
      value: "value told of in four forms",
      event: { id: facts.eventId, time: facts.time, topic: facts.topic },
    })
    expect(records).toHaveLength(4)
    for (const record of records) expect({ ...record, readAt: "" }).toEqual({ ...first, readAt: "" })
    const lasting = ({
      changedat,
      eventat,
      origin,
      attempt,
      replays,
      eventid,
      kid,
      format,
    }: Record<string, string>) => ({ changedat, eventat, origin, attempt, replays, eventid, kid, format })
    for (const ledger of ledgers) expect(lasting(ledger)).toEqual(lasting(ledgers[0]!))
  })
})
