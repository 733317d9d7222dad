import { once } from "node:events"
import { fileURLToPath } from "node:url"
import rhea, { type EventContext } from "rhea"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { aRawClient } from "../local/serviceBus/aRawClient.ts"
import { deadLetterAll, sendChanges, writeDeadLetterBlob } from "../support/deadLetters.ts"
import { changeMessageForm, cloudEventForm, eventFacts, eventGridForm } from "../support/eventForms.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"

const cli = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))
const nothing = { active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 }
let journey: Journey
let queue: string
let quarantineQueue: string

beforeAll(async () => {
  journey = await startJourney({
    runsTimers: false,
    settings: {
      BACKUP_AUTO_REPLAY: "true",
      BACKUP_RETRY_FIRST_DELAY: "20ms",
      BACKUP_RETRY_MAX_DELAY: "200ms",
      BACKUP_RETRY_MAX_AGE: "1s",
    },
    queueOptions: { lockDurationMs: 3000, duplicateWindowMs: 86_400_000 },
  })
  ;({ queue, quarantineQueue } = journey.cloud.file.serviceBus)
})
afterEach(() => journey.control("DELETE /faults"))
afterAll(() => journey.stop())

const counts = () => journey.cloud.serviceBus.counts()
const replay = (...argv: string[]) => runCli(journey.directory, "replay", ...argv)
const withoutWorker = async (work: () => Promise<void>) => {
  await journey.control("POST /host", { action: "kill" })
  await work()
  await journey.control("POST /host", { action: "restart" })
}
/** A version that the vault has and the store has not, since nobody heard of it. */
const setUnheard = async (name: string) => {
  await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  const id = await journey.set(name, `value of ${name}`)
  await vi.waitFor(() => expect(journey.cloud.eventGrid.pending()).toBe(0))
  await journey.control("DELETE /faults")
  return id
}

describe("kvbackup replay", () => {
  it("C58: arrives although the queue remembers MessageIds for 24 h", async () => {
    let id = ""
    await withoutWorker(async () => {
      id = await journey.set("remembered", "value")
      await vi.waitFor(() => expect(counts()[queue]).toMatchObject({ active: 1 }), { timeout: 5000 })
      expect(await deadLetterAll(journey, "MaxDeliveryCountExceeded")).toBe(1)
      const [dead] = await journey.peek("changes", "deadLetter")
      await sendChanges(journey, [{ body: dead?.body, messageId: String(dead?.messageId) }])
      // The same MessageId is accepted and swallowed.
      expect(counts()[queue]).toMatchObject({ active: 0, deadLettered: 1 })
      const { exitCode, out } = await replay("--execute")
      expect(out).toContain("sent again                   1\n")
      expect(exitCode).toBe(0)
      expect(counts()[queue]).toMatchObject({ active: 1, deadLettered: 0 })
      const [copy] = await journey.peek("changes")
      expect(copy?.applicationProperties).toMatchObject({
        "kvb-origin": "replay",
        "kvb-replays": "1",
        "kvb-original-id": dead?.messageId,
        "kvb-first-enqueued": dead?.enqueuedTimeUtc?.toISOString(),
        "kvb-first-code": "MaxDeliveryCountExceeded",
      })
    })
    await journey.settled()
    expect(await journey.metadata(id)).toMatchObject({ origin: "replay", replays: "1", attempt: "1" })
    expect(counts()).toEqual({ [queue]: nothing, [quarantineQueue]: nothing })
  })

  it("C57: brings body and properties unchanged, as a client sees them that is not ours", async () => {
    const { cloud } = journey
    const id = await setUnheard("faithful")
    const body = Buffer.from(`\n ${JSON.stringify(changeMessageForm(eventFacts(id)), undefined, 3)} \r\n`)
    const when = new Date("2026-02-03T04:05:06.789Z")
    const { types, message } = rhea
    const sent = message.encode({
      body: message.data_section(body),
      message_id: "faithful-1",
      correlation_id: "correlation",
      content_type: "application/vnd.test+json",
      subject: "subject ü",
      to: "to",
      reply_to: "reply-to",
      ttl: 3_600_000,
      application_properties: {
        text: "tüxt",
        empty: "",
        yes: true,
        no: false,
        when: types.wrap_timestamp(when.getTime()),
        int: types.wrap_int(-7),
        uint: types.wrap_uint(7),
        long: types.wrap_long(9_007_199_254_740_991),
        byte: types.wrap_byte(-1),
        double: types.wrap_double(0.1),
        whole: types.wrap_double(3),
        "aeg-delivery-count": types.wrap_int(2),
      },
    } as never)
    await withoutWorker(async () => {
      const raw = await aRawClient(cloud.serviceBus)
      await raw.send(queue, sent)
      await deadLetterAll(journey, "ByATest")
      expect((await replay("--execute")).exitCode).toBe(0)
      const receiver = raw.receive(queue, 1)
      const [{ message: arrived, delivery }] = (await once(receiver, "message")) as [EventContext]
      delivery?.release()
      raw.close()

      expect((arrived?.body as { content?: Buffer } | undefined)?.content?.equals(body)).toBe(true)
      expect(arrived).toMatchObject({
        correlation_id: "correlation",
        content_type: "application/vnd.test+json",
        subject: "subject ü",
        to: "to",
        reply_to: "reply-to",
      })
      expect(arrived?.message_id).not.toBe("faithful-1")
      expect(arrived?.ttl ?? 0).not.toBe(3_600_000)
      expect(arrived?.absolute_expiry_time).toBeUndefined()
      const properties = arrived?.application_properties as Record<string, unknown>
      expect(
        Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith("kvb-"))),
      ).toEqual({
        text: "tüxt",
        empty: "",
        yes: true,
        no: false,
        when,
        int: -7,
        uint: 7,
        long: 9_007_199_254_740_991,
        byte: -1,
        double: 0.1,
        whole: 3,
        "aeg-delivery-count": 2,
      })
      expect(Object.keys(arrived?.message_annotations ?? {})).not.toContain("x-opt-deadletter-source")
    })
    await journey.settled()
    expect((await journey.open(id)).value).toBe("value of faithful")
  })

  it("sends each entry of Event Grid's blobs where it should go, and does nothing the next time", async () => {
    const [first, second, third, stored] = [
      await setUnheard("eg-first"),
      await setUnheard("eg-second"),
      await setUnheard("eg-third"),
      await journey.set("eg-stored", "value"),
    ]
    await journey.settled()
    const added = {
      deadLetterReason: "UndeliverableDueToClientError",
      deliveryAttempts: 2,
      lastDeliveryOutcome: "Forbidden",
      publishTime: "2026-03-01T10:00:00.1234567Z",
    }
    const lower = Object.fromEntries(
      Object.entries(added).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const cloudEvent = JSON.stringify({ ...cloudEventForm(eventFacts(second)), ...lower }).replace(/}$/, ",}")
    const mixed = [
      JSON.stringify({ ...eventGridForm(eventFacts(first)), ...added }),
      '{"garbage": 1}',
      cloudEvent,
      JSON.stringify({ ...eventGridForm(eventFacts(stored)), ...added }),
    ].join(",")
    const body = `[${mixed},]`
    const blob = await writeDeadLetterBlob(journey, body, "mixed")
    const single = JSON.stringify({ ...eventGridForm(eventFacts(third)), ...added })
    await writeDeadLetterBlob(journey, single, "single")

    const plan = (await replay("--from", "event-grid", "--json")).json<{
      plan: { digest: string; groups: { cause: string; action: string; count: number }[] }
    }>().plan
    expect(plan.groups.map(({ cause, action, count }) => `${count} ${cause} ${action}`)).toEqual([
      "3 UndeliverableDueToClientError/Forbidden send",
      "1 ERR_EVENT_MALFORMED quarantine",
      "1 UndeliverableDueToClientError/Forbidden remove",
    ])
    const done = await replay("--from", "event-grid", "--execute", "--json")
    expect(done.exitCode).toBe(0)
    expect(done.json()).toMatchObject({ result: { sent: 3, removed: 1, quarantined: 1 } })
    await journey.settled()
    for (const id of [first, second, third]) {
      expect(await journey.metadata(id)).toMatchObject({ origin: "replay", replays: "1" })
    }
    const held = await journey.peek("quarantine")
    expect(held.map((message) => String(message.body))).toEqual(['{"garbage": 1}'])
    expect(held[0]?.applicationProperties).toMatchObject({
      "kvb-last-code": "ERR_EVENT_MALFORMED",
      "kvb-plan": plan.digest,
    })

    const again = await replay("--from", "event-grid", "--execute", "--json")
    expect(again.json()).toMatchObject({
      plan: { groups: [] },
      result: { sent: 0, removed: 0, quarantined: 0 },
    })
    const kept = await journey.cloud.blob.backdoor.read({ container: "eventgrid-dead-letters", name: blob })
    expect(String(kept?.body)).toBe(body)
    expect(await journey.peek("quarantine")).toHaveLength(1)
  })

  it("lets one of two runners work; the other says who does, and a cancelled one loses nothing", async () => {
    const ids: string[] = []
    for (let index = 0; index < 24; index++) ids.push(await setUnheard(`two-runners-${index}`))
    await withoutWorker(async () => {
      await sendChanges(
        journey,
        ids.map((id) => ({ body: changeMessageForm(eventFacts(id)) })),
      )
      expect(await deadLetterAll(journey, "TwoRunners")).toBe(24)
      const argv = [cli, "replay", "--local", "--from", "dead-letter", "--execute", "--max-per-second"]
      const first = startNode([...argv, "1"], { cwd: journey.directory })
      // Ten go at once; the next ten wait for their time.
      await vi.waitFor(() => expect(counts()[queue]?.active).toBe(10), { timeout: 10_000, interval: 20 })

      const second = await replay("--execute")
      expect(second.exitCode).toBe(27)
      expect(second.err).toMatch(/^Error: \[ERR_REPLAY_LEASE_HELD\] Another replay is running\n/)
      expect(second.err).toMatch(/Where: run \d{8}T\d{6}Z-[0-9a-f]{8}, host \S+, since \d{4}-/)
      expect(second.err).toMatch(/\nTry: {3}Wait for the other replay/)

      first.signal("SIGINT")
      const { code, stdout } = await first.end
      expect(code).toBe(130)
      expect(stdout).toMatch(/sent again +10\n[^]*not done +14\nInterrupted. Nothing is lost/)
      expect(counts()[queue]).toMatchObject({ active: 10, deadLettered: 14 })

      const third = await replay("--from", "dead-letter", "--execute", "--json")
      expect(third.json()).toMatchObject({ result: { sent: 14, undone: 0 } })
      expect(third.exitCode).toBe(0)
    })
    await journey.settled()
    for (const id of ids) expect((await journey.metadata(id))["replays"]).toBe("1")
  })

  it("stops with the difference when messages joined the plan's, and goes on with --replan", async () => {
    const [one, other] = [await setUnheard("planned"), await setUnheard("joined")]
    const file = `${journey.directory}/plan.json`
    await withoutWorker(async () => {
      await sendChanges(journey, [{ body: changeMessageForm(eventFacts(one)) }])
      await deadLetterAll(journey, "Joined")
      expect((await replay("--reason", "joined", "--out", file)).exitCode).toBe(0)
      expect((await replay("--reason", "joined", "--out", file)).exitCode).toBe(2)
      await sendChanges(journey, [{ body: changeMessageForm(eventFacts(other)) }])
      await deadLetterAll(journey, "Joined")
      const stopped = await replay("--plan", file, "--execute", "--json")
      expect(stopped.exitCode).toBe(27)
      expect(stopped.json()).toMatchObject({
        code: "ERR_REPLAY_PLAN_CHANGED",
        details: { "dead-letter Joined": "1 planned, 2 found" },
      })
      expect(counts()[queue]).toMatchObject({ active: 0, deadLettered: 2 })
      const done = await replay("--plan", file, "--replan", "--execute", "--json")
      expect(done.json()).toMatchObject({ result: { sent: 2 } })
    })
    await journey.settled()
    const { out } = await replay("--history")
    expect(out).toMatch(/2 sent again, 0 removed, 0 to quarantine, in 1 batches/)
  })

  it("takes back from quarantine what was deferred for too long; passing causes go by themselves, a role does not", async () => {
    const usual = journey.cloud.access.roles()["backup"] ?? []
    await journey.control("PUT /roles", { backup: usual.filter((grant) => !grant.includes("getSecret")) })
    const role = await journey.set("role-missing", "value")
    const inQuarantine = (count: number) =>
      vi.waitFor(() => expect(counts()[quarantineQueue]?.active).toBe(count), {
        timeout: 10_000,
        interval: 50,
      })
    const before = counts()[quarantineQueue]?.active ?? 0
    await inQuarantine(before + 1)
    await journey.control("PUT /roles", { backup: usual })
    await journey.control("POST /faults", {
      target: "keyvault",
      match: { method: "GET", job: "backup" },
      effect: "status",
      status: 503,
    })
    const network = await journey.set("network-down", "value")
    await inQuarantine(before + 2)
    await journey.control("DELETE /faults")

    const held = (await journey.peek("quarantine")).slice(before)
    expect(held.map(({ applicationProperties }) => applicationProperties)).toMatchObject([
      { "kvb-last-code": "ERR_VAULT_FORBIDDEN", "kvb-first-code": "ERR_VAULT_FORBIDDEN" },
      { "kvb-last-code": "ERR_VAULT_UNAVAILABLE", "kvb-retry-since": expect.stringMatching(/^\d{4}-/) },
    ])
    expect(Number(held[0]?.applicationProperties?.["kvb-attempt"])).toBeGreaterThan(3)
    await journey.control("POST /functions/watchBacklog")
    const signal = journey.lines.filter((line) => line.includes('"backlog.')).join("\n")
    expect(signal).toMatch(/"backlog.oldestUnprotected","ageSeconds":\d+,"object":"https:\S+role-missing/)
    expect(signal).toMatch(/"backlog.quarantined","cause":"ERR_VAULT_UNAVAILABLE","count":1,"oldestAt"/)
    const status = await runCli(journey.directory, "status")
    expect(status.exitCode).toBe(30)
    expect(status.out).toMatch(/ {4}1 x ERR_VAULT_FORBIDDEN, oldest /)

    await journey.control("POST /functions/replayDeadLetters")
    await journey.settled()
    expect(await journey.metadata(network)).toMatchObject({ origin: "replay", replays: "1", attempt: "1" })
    await expect(journey.metadata(role)).rejects.toThrow()
    await inQuarantine(before + 1)

    const done = await replay("--reason", "ERR_VAULT_FORBIDDEN", "--execute", "--json")
    expect(done.json()).toMatchObject({ result: { sent: 1 } })
    await journey.settled()
    expect(await journey.metadata(role)).toMatchObject({ replays: "1" })
  })
})
