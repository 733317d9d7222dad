import type { ServiceBusMessage } from "@azure/service-bus"
import { vi } from "vitest"
import { deadLetterAll, sendChanges, writeDeadLetterBlob } from "./deadLetters.ts"
import { changeMessageForm, cloudEventForm, eventFacts, eventGridForm } from "./eventForms.ts"
import type { Journey } from "./startJourney.ts"

/** What must become of a dead letter in the end. */
export type Fate = "stored" | "already stored" | "quarantine"

/** One dead letter that was made, and what is known of it. */
export interface MadeLetter {
  readonly cause: string
  readonly fate: Fate
  /** MessageId; of an entry of Event Grid, the id of its event. */
  readonly key: string
  /** The version it is about, where there is one. */
  readonly id?: string
}

interface Cause {
  readonly cause: string
  readonly action: "send" | "remove" | "quarantine"
  readonly fate: Fate
  readonly reason?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly body: (id: string, index: number) => ServiceBusMessage["body"]
}

const event = (id: string) => Buffer.from(JSON.stringify(eventGridForm(eventFacts(id))))
const coded = (code: string) => ({
  cause: code,
  properties: { "kvb-last-code": code, "kvb-first-code": code },
})
const sent = { action: "send", fate: "stored", body: event } as const
const aside = { action: "quarantine", fate: "quarantine" } as const

/** Nine causes of the queue; the tenth are entries of Event Grid's blobs. */
const queueCauses: readonly Cause[] = [
  { ...sent, ...coded("ERR_VAULT_FORBIDDEN") },
  { ...sent, ...coded("ERR_VAULT_THROTTLED"), body: (id) => changeMessageForm(eventFacts(id)) },
  { ...sent, ...coded("ERR_STORE_FIREWALL"), body: (id) => cloudEventForm(eventFacts(id)) },
  { ...sent, cause: "MaxDeliveryCountExceeded", reason: "MaxDeliveryCountExceeded" },
  {
    cause: "TTLExpiredException",
    reason: "TTLExpiredException",
    action: "remove",
    fate: "already stored",
    body: event,
  },
  { ...aside, cause: "ERR_EVENT_MALFORMED", body: (_id, index) => Buffer.from(`garbage ${index}`) },
  { ...sent, cause: "ERR_EVENT_LOSSY", body: (id) => Buffer.from(event(id).toString(), "utf16le") },
  {
    ...aside,
    cause: "ERR_EVENT_NOT_ALLOWED",
    body: (id) =>
      Buffer.from(
        event(id)
          .toString()
          .replaceAll(/127\.0\.0\.1:\d+/g, "kv.evil.example"),
      ),
  },
  {
    ...aside,
    cause: "ERR_STORE_FORBIDDEN",
    properties: { ...coded("ERR_STORE_FORBIDDEN").properties, "kvb-replays": "3" },
    body: event,
  },
]
const eventGridCause = "MaxDeliveryAttemptsExceeded/TimedOut"

/** What a plan about them must say: action by source and cause. */
export const expectedActions: ReadonlyMap<string, string> = new Map([
  ...queueCauses.map(({ cause, action }) => [`dead-letter ${cause}`, action] as const),
  [`event-grid ${eventGridCause}`, "send"],
])

const setAtOnce = 8

/** Makes `each` dead letters of every cause. The worker must be there at first, and is gone afterwards. */
export async function makeDeadLetters(journey: Journey, each: number): Promise<readonly MadeLetter[]> {
  const setMany = async (name: string) => {
    const ids: string[] = []
    for (let from = 0; from < each; from += setAtOnce) {
      const some = Array.from({ length: Math.min(setAtOnce, each - from) }, (_, index) =>
        journey.set(`${name}-${from + index}`, `value of ${name} ${from + index}`),
      )
      ids.push(...(await Promise.all(some)))
    }
    return ids
  }
  const stored = await setMany("already-stored")
  await journey.settled(60_000)
  // Nobody hears of the others.
  await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  const unheard = new Map<string, readonly string[]>()
  for (const [index, { cause, fate }] of queueCauses.entries()) {
    if (fate !== "already stored") unheard.set(cause, await setMany(`cause-${index}`))
  }
  const lettersOfEventGrid = await setMany("cause-event-grid")
  await vi.waitFor(() => {
    if (journey.cloud.eventGrid.pending() > 0) throw new Error("Events are under way")
  })
  await journey.control("DELETE /faults")
  await journey.control("POST /host", { action: "kill" })

  const made: MadeLetter[] = []
  const messages: ServiceBusMessage[] = []
  for (const [number, { cause, fate, properties = {}, body }] of queueCauses.entries()) {
    for (const [index, id] of (unheard.get(cause) ?? stored).entries()) {
      const messageId = `letter-${number}-${index}`
      messages.push({
        messageId,
        body: body(id, index),
        applicationProperties: { ...properties },
        subject: cause,
      })
      made.push({ cause, fate, key: messageId, ...(fate === "quarantine" ? {} : { id }) })
    }
  }
  await sendChanges(journey, messages)
  const reasons = new Map(queueCauses.map(({ cause, reason = "ByATest" }) => [cause, reason]))
  await deadLetterAll(journey, ({ subject }) => reasons.get(subject ?? "") ?? "ByATest")
  for (let from = 0; from < each; from += 5) {
    const entries = lettersOfEventGrid.slice(from, from + 5).map((id, index) => {
      const facts = eventFacts(id, { eventId: `event-${from + index}` })
      made.push({ cause: eventGridCause, fate: "stored", key: facts.eventId, id })
      const dead = { deadLetterReason: "MaxDeliveryAttemptsExceeded", lastDeliveryOutcome: "TimedOut" }
      return { ...eventGridForm(facts), ...dead }
    })
    await writeDeadLetterBlob(journey, JSON.stringify(entries), `ten-causes-${from}`)
  }
  return made
}
