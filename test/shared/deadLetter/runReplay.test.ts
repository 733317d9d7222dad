import { describe, expect, it } from "vitest"
import { planReplay } from "../../../shared/deadLetter/runReplay.ts"
import { everything } from "../../../shared/deadLetter/replayFilter.ts"
import { readHistory } from "../../../shared/deadLetter/replayHistory.ts"
import { parseJournalName } from "../../../shared/deadLetter/journalRecord.ts"
import { formatPlan, parsePlan } from "../../../shared/deadLetter/planFile.ts"
import { countOf } from "../../../shared/deadLetter/replayPlan.ts"
import { anEventGridEvent, anObject } from "../../support/builders.ts"
import { collect } from "../../support/collect.ts"
import { aReplayWorld, Killed } from "../../support/memoryReplay.ts"

const event = (version: number) => JSON.stringify(anEventGridEvent(anObject({ version })))

async function journalOf({ store }: ReturnType<typeof aReplayWorld>) {
  return (await collect(store.list("journal/"))).map(({ name }) => {
    const parsed = parseJournalName(name)
    return parsed && `${parsed.batch} ${parsed.phase} ${parsed.run}`
  })
}

describe("planReplay", () => {
  it("says what it would do with each cause, and takes, writes and sends nothing", async () => {
    const world = aReplayWorld()
    await world.protect(anObject({ version: 2 }))
    world.add({ body: event(1), properties: { "kvb-last-code": "ERR_VAULT_FORBIDDEN" }, at: new Date(1000) })
    world.add({ body: event(3), properties: { "kvb-last-code": "ERR_VAULT_FORBIDDEN" }, at: new Date(500) })
    world.add({ body: event(2), reason: "MaxDeliveryCountExceeded" })
    world.add({ body: "garbage" })
    world.add({
      body: "garbage",
      source: "quarantine",
      properties: { "kvb-last-code": "ERR_EVENT_MALFORMED" },
    })
    world.add({ body: Buffer.from(event(4), "utf16le") })
    const plan = await planReplay(world.parts, { filter: everything })
    expect(plan.groups).toMatchObject([
      {
        source: "dead-letter",
        cause: "ERR_VAULT_FORBIDDEN",
        action: "send",
        count: 2,
        oldest: new Date(500),
        newest: new Date(1000),
        sample: {
          id: "1",
          objects: ["https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001"],
        },
      },
      { cause: "ERR_EVENT_LOSSY", action: "send", count: 1 },
      { cause: "ERR_EVENT_MALFORMED", action: "quarantine", count: 1 },
      { cause: "MaxDeliveryCountExceeded", action: "remove", why: "already protected", count: 1 },
      { source: "quarantine", cause: "ERR_EVENT_MALFORMED", action: "leave", count: 1 },
    ])
    expect([world.sent, world.completed, world.quarantined, await journalOf(world)]).toEqual([[], [], [], []])
    await expect(planReplay(world.parts, { filter: everything })).resolves.toMatchObject({
      digest: plan.digest,
    })
    world.add({ body: event(9) })
    const other = await planReplay(world.parts, { filter: everything })
    expect(other.digest).not.toBe(plan.digest)
  })
})

describe("runReplay", () => {
  it("does what the plan says and writes down each step", async () => {
    const world = aReplayWorld()
    await world.protect(anObject({ version: 2 }))
    for (const body of [event(1), event(2), "garbage"]) world.add({ body })
    const result = await world.run()
    expect(result).toMatchObject({ sent: 1, removed: 1, quarantined: 1, undone: 0, interrupted: false })
    expect(world.sent.map(({ body }) => String(body))).toEqual([event(1)])
    expect(world.quarantined.map(({ body }) => String(body))).toEqual(["garbage"])
    expect(world.at("dead-letter")).toEqual([])
    expect(await journalOf(world)).toEqual(["0 completed run0", "0 intent run0", "0 sent run0"])
    await expect(readHistory(world.store)).resolves.toMatchObject([
      { plan: result.plan, runs: ["run0"], batches: 1, send: 1, remove: 1, quarantine: 1, open: 0 },
    ])
    await expect(world.run()).resolves.toMatchObject({ sent: 0, removed: 0, quarantined: 0 })
  })

  it("sends an intent that may have been sent once more under the same MessageIds", async () => {
    const world = aReplayWorld()
    world.add({ body: event(1) })
    // intent is the first write after the listing of three places and one take; the send is what comes next.
    world.killAt(5.5)
    await expect(world.run()).rejects.toThrow(Killed)
    expect(world.sent).toHaveLength(1)
    expect(await journalOf(world)).toEqual(["0 intent run0"])
    world.revive()
    await expect(world.run()).resolves.toMatchObject({ sent: 1 })
    expect(world.sent.map(({ messageId }) => messageId)).toEqual(["fresh0", "fresh0"])
    expect(await journalOf(world)).toEqual([
      "0 completed run1",
      "0 intent run0",
      "1 completed run1",
      "1 intent run1",
      "1 sent run1",
    ])
  })

  it("only removes what was sent and not removed", async () => {
    const world = aReplayWorld()
    world.add({ body: event(1) })
    world.killAt(6.5)
    await expect(world.run()).rejects.toThrow(Killed)
    expect(await journalOf(world)).toEqual(["0 intent run0", "0 sent run0"])
    world.revive()
    await expect(planReplay(world.parts, { filter: everything })).resolves.toMatchObject({
      groups: [{ action: "remove", why: "sent already, removal not confirmed" }],
    })
    await expect(world.run()).resolves.toMatchObject({ sent: 0, removed: 1, unconfirmed: 0 })
    expect(world.sent).toHaveLength(1)
    expect(world.at("dead-letter")).toEqual([])
    expect((await readHistory(world.store)).map(({ open }) => open)).toEqual([0])
  })

  it("stops with the difference when the set is not that of the plan, and goes on when told to", async () => {
    const world = aReplayWorld()
    const first = world.add({ body: event(1), reason: "A" })
    world.add({ body: event(2), reason: "B" })
    const planned = await planReplay(world.parts, { filter: everything })
    world.add({ body: event(3), reason: "A" })
    await expect(world.run({ planned })).rejects.toMatchObject({
      code: "ERR_REPLAY_PLAN_CHANGED",
      details: { "dead-letter A": "1 planned, 2 found" },
    })
    world.steal(first)
    await expect(world.run({ planned })).rejects.toMatchObject({
      details: { "dead-letter A": "1 planned, 1 others found" },
    })
    expect(world.sent).toEqual([])
    await expect(world.run({ planned, replan: true })).resolves.toMatchObject({ sent: 2 })
  })

  it("takes a plan up again that was done in part, and sees nothing changed", async () => {
    const world = aReplayWorld()
    for (let version = 1; version <= 6; version++)
      world.add({ body: event(version), reason: `R${version % 2}` })
    world.add({ body: "garbage" })
    world.add({ body: event(7), source: "event-grid" })
    const planned = parsePlan(JSON.parse(formatPlan(await planReplay(world.parts, { filter: everything }))))
    for (let step = 4; step <= 40; step += 3) {
      world.killAt(step / 2)
      await world.run({ planned, maxPerSecond: 0.2 }).catch(() => {})
      world.revive()
    }
    await world.run({ planned })
    expect(new Set(world.sent.map(({ messageId }) => messageId)).size).toBe(7)
    expect(world.at("dead-letter")).toEqual([])
    await expect(world.run({ planned })).resolves.toMatchObject({ sent: 0, removed: 0, plan: planned.digest })
  })

  it("goes on where a version was stored in the meantime, and removes its message unsent", async () => {
    const world = aReplayWorld()
    world.add({ body: event(1) })
    const planned = await planReplay(world.parts, { filter: everything })
    await world.protect(anObject({ version: 1 }))
    await expect(world.run({ planned })).resolves.toMatchObject({ sent: 0, removed: 1 })
  })

  it("lets only one runner work", async () => {
    const world = aReplayWorld()
    world.add({ body: event(1) })
    const [one, other] = await Promise.allSettled([world.run(), world.run()])
    expect([one?.status, other?.status]).toEqual(["fulfilled", "rejected"])
    expect(other).toMatchObject({ reason: { code: "ERR_REPLAY_LEASE_HELD" } })
    expect(world.sent).toHaveLength(1)
  })

  it("stops between two batches when it is interrupted, and loses nothing", async () => {
    const world = aReplayWorld()
    for (let version = 1; version <= 30; version++) world.add({ body: event(version) })
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const result = await world.run({ maxPerSecond: 1, signal: controller.signal, onProgress })
    expect(result).toMatchObject({ sent: 10, undone: 20, interrupted: true })
    expect(world.at("dead-letter")).toHaveLength(20)
    await expect(world.run()).resolves.toMatchObject({ sent: 20, undone: 0 })
  })

  it("keeps to the rate", async () => {
    const world = aReplayWorld()
    for (let version = 1; version <= 40; version++) world.add({ body: event(version) })
    const startMs = world.clock.now().getTime()
    await world.run({ maxPerSecond: 2 })
    // The first twenty go at once, the other twenty when these have had their time.
    expect((world.clock.now().getTime() - startMs) / 1000).toBe(10)
  })

  it("waits for letters that somebody else has locked, and tells what it could not do", async () => {
    const world = aReplayWorld()
    const locked = world.add({ body: event(1) })
    world.add({ body: event(2) })
    world.lock(locked, 20_000)
    const waits: (number | undefined)[] = []
    await expect(
      world.run({ onProgress: ({ waitingFor }) => void waits.push(waitingFor) }),
    ).resolves.toMatchObject({ sent: 2, undone: 0 })
    expect(waits).toContain(1)
    const stuck = world.add({ body: event(3) })
    world.lock(stuck, 600_000)
    await expect(world.run()).resolves.toMatchObject({ sent: 0, undone: 1 })
  })

  it("tells which letters somebody else took", async () => {
    const world = aReplayWorld()
    const letters = [1, 2, 3].map((version) => world.add({ body: event(version) }))
    const result = await world.run({
      onPlan: () => {
        for (const letter of letters.slice(0, 2)) world.steal(letter)
      },
    })
    expect(result).toMatchObject({ sent: 1, vanished: 2, undone: 0 })
  })

  it("leaves what the broker refuses as too large, and goes on", async () => {
    const world = aReplayWorld({ maxMessageBytes: 1000 })
    world.add({ body: event(1) })
    world.add({
      body: JSON.stringify({ ...anEventGridEvent(anObject({ version: 2 })), filler: "x".repeat(900) }),
    })
    await expect(world.run()).resolves.toMatchObject({ sent: 1, refused: 1, undone: 0 })
    expect(world.at("dead-letter").map(({ id }) => id)).toEqual(["2"])
  })

  it("stops after the cap, and does the rest in the next run", async () => {
    const world = aReplayWorld()
    for (let version = 1; version <= 50; version++) world.add({ body: event(version) })
    await expect(world.run({ maxPerSecond: 1, maxMessages: 15 })).resolves.toMatchObject({
      sent: 20,
      undone: 30,
    })
    await expect(world.run()).resolves.toMatchObject({ sent: 30 })
  })

  it("puts a message back into quarantine with its history after the attempt cap, and sends it only when it is named", async () => {
    const world = aReplayWorld({ replayMax: 3 })
    const history = {
      "kvb-replays": "3",
      "kvb-original-id": "first",
      "kvb-first-enqueued": "2026-02-01T00:00:00.000Z",
      "kvb-first-code": "ERR_VAULT_THROTTLED",
      "kvb-last-code": "ERR_VAULT_FORBIDDEN",
      "kvb-attempt": "7",
      "kvb-retry-since": "2026-02-02T00:00:00.000Z",
    }
    world.add({ body: event(1), properties: history })
    const result = await world.run()
    expect(result).toMatchObject({ sent: 0, quarantined: 1 })
    expect(world.quarantined[0]?.envelope.properties).toEqual({ ...history, "kvb-plan": result.plan })
    await expect(world.run()).resolves.toMatchObject({ sent: 0, quarantined: 0 })
    const object = "https://kv-test.vault.azure.net/secrets/db-password"
    await expect(world.run({ filter: { ...everything, object } })).resolves.toMatchObject({ sent: 1 })
    expect(world.sent[0]?.envelope.properties).toMatchObject({
      "kvb-replays": "4",
      "kvb-original-id": "first",
    })
    expect(world.at("quarantine")).toEqual([])
  })

  it("takes no letter of a source that it was not asked about", async () => {
    const world = aReplayWorld()
    world.add({ body: event(1), source: "quarantine" })
    world.add({ body: event(2), source: "event-grid" })
    const filter = { from: ["dead-letter"] as const }
    await expect(world.run({ filter })).resolves.toMatchObject({ sent: 0 })
    const plan = await planReplay(world.parts, { filter: everything })
    expect(countOf(plan, "send")).toBe(2)
  })
})
