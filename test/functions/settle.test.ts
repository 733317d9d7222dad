import { describe, expect, it } from "vitest"
import { settle, type SettledItem, type SettleDependencies } from "../../functions/settle.ts"
import type { TriggerMessage } from "../../functions/triggerMessage.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { parseChanges } from "../../shared/change/parseChanges.ts"
import { type ErrorCode, ServiceError } from "../../shared/errors.ts"
import type { OutgoingMessage } from "../../shared/queue/changeQueue.ts"
import { createMemoryChangeQueue } from "../../shared/queue/memoryChangeQueue.ts"
import { aChange, anEventGridEvent, anObject, vault } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"

const retry = { firstDelayMs: 15_000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 }
const now = "2026-03-01T10:00:05.000Z"

function aMessage(more: Partial<TriggerMessage> = {}): TriggerMessage {
  return {
    body: anEventGridEvent(),
    messageId: "m1",
    enqueuedAt: new Date("2026-03-01T10:00:04.000Z"),
    receivedAt: new Date(now),
    lineage: { attempt: 0, replays: 0 },
    eventGridProperties: {},
    ...more,
  }
}

function aWorld(more: Partial<SettleDependencies> = {}) {
  const changes = createMemoryChangeQueue()
  const quarantine = createMemoryChangeQueue()
  const log = capturingLog()
  const clock = fakeClock(now)
  const dependencies: SettleDependencies = {
    changes,
    quarantine,
    retry,
    clock,
    log,
    telemetry: silentTelemetry(),
    random: () => 0.5,
    ...more,
  }
  return {
    changes,
    quarantine,
    log,
    clock,
    run: (items: readonly SettledItem[], message = aMessage()) => settle(message, items, dependencies),
  }
}

const deferred = (
  code: ErrorCode = "ERR_VAULT_THROTTLED",
  change = aChange(),
  retryAfterMs?: number,
): SettledItem => ({
  change,
  outcome: {
    outcome: "deferred",
    error: new ServiceError(code, "no", retryAfterMs === undefined ? {} : { retryAfterMs }),
  },
})
const poison = (code: ErrorCode = "ERR_EVENT_MALFORMED"): SettledItem => ({
  outcome: { outcome: "poison", error: new ServiceError(code, "bad") },
})
const blob = "v1/x"
const changeOf = ({ body }: OutgoingMessage) =>
  parseChanges(JSON.parse(String(body)), createAllowList([vault]))

describe("settle", () => {
  it.each([
    { name: "stored", outcome: { outcome: "stored", blob } },
    { name: "alreadyStored", outcome: { outcome: "alreadyStored", blob } },
    { name: "skipped", outcome: { outcome: "skipped", reason: "excluded" } },
    {
      name: "unreadable",
      outcome: { outcome: "unreadable", blob, error: new ServiceError("ERR_UNKNOWN", "x") },
    },
    { name: "gone", outcome: { outcome: "gone", blob, error: new ServiceError("ERR_UNKNOWN", "x") } },
  ] as const)("completes a message that is $name, and sends nothing", async ({ outcome }) => {
    const { run, changes, quarantine } = aWorld()
    await expect(run([{ change: aChange(), outcome }])).resolves.toBeUndefined()
    expect([changes.sent, quarantine.sent]).toEqual([[], []])
  })

  it("completes a message without items", async () => {
    await expect(aWorld().run([])).resolves.toBeUndefined()
  })
})

describe("settle, deferred", () => {
  it("sends one scheduled copy as a change message with exactly these properties, and completes", async () => {
    const { run, changes, quarantine } = aWorld()
    await run([deferred()])
    expect(quarantine.sent).toEqual([])
    expect(changes.sent).toEqual([
      {
        body: expect.any(String),
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        contentType: "application/json",
        properties: {
          "kvb-origin": "live",
          "kvb-original-id": "m1",
          "kvb-first-enqueued": "2026-03-01T10:00:04.000Z",
          "kvb-retry-since": "2026-03-01T10:00:04.000Z",
          "kvb-attempt": "1",
          "kvb-first-code": "ERR_VAULT_THROTTLED",
          "kvb-last-code": "ERR_VAULT_THROTTLED",
        },
        scheduledAt: new Date("2026-03-01T10:00:20.000Z"),
      },
    ])
    const [copy] = changes.sent
    expect(JSON.parse(String(copy?.body))).toHaveProperty("change.format", "keyvault-change/1")
    expect(changeOf(copy!)).toEqual([{ kind: "change", change: aChange() }])
  })

  it("keeps the past of a message, and adds to it", async () => {
    const { run, changes } = aWorld()
    const lineage = {
      origin: "replay",
      originalId: "first",
      firstEnqueuedAt: new Date("2026-02-28T10:00:00.000Z"),
      retrySince: new Date("2026-03-01T09:00:00.000Z"),
      attempt: 4,
      replays: 2,
      firstCode: "ERR_STORE_FIREWALL",
      lastCode: "ERR_STORE_FIREWALL",
      plan: "plan-7",
    } as const
    const eventGridProperties = { "aeg-event-type": "Notification" }
    await run(
      [deferred("ERR_VAULT_FORBIDDEN", aChange({ origin: "replay" }))],
      aMessage({ lineage, eventGridProperties }),
    )
    expect(changes.sent).toMatchObject([{ scheduledAt: new Date("2026-03-01T10:04:05.000Z") }])
    expect(changes.sent[0]?.properties).toEqual({
      "aeg-event-type": "Notification",
      "kvb-origin": "replay",
      "kvb-original-id": "first",
      "kvb-first-enqueued": "2026-02-28T10:00:00.000Z",
      "kvb-retry-since": "2026-03-01T09:00:00.000Z",
      "kvb-attempt": "5",
      "kvb-replays": "2",
      "kvb-first-code": "ERR_STORE_FIREWALL",
      "kvb-last-code": "ERR_VAULT_FORBIDDEN",
      "kvb-plan": "plan-7",
    })
  })

  it("gives every copy a fresh message id", async () => {
    const { run, changes } = aWorld()
    for (let n = 0; n < 3; n++) await run([deferred(), deferred()])
    const ids = changes.sent.map(({ messageId }) => messageId)
    expect(new Set(ids).size).toBe(6)
    expect(ids).not.toContain("m1")
  })

  it.each([
    { name: "longer than the schedule", retryAfterMs: 120_000, at: "2026-03-01T10:02:05.000Z" },
    { name: "shorter than the schedule", retryAfterMs: 1000, at: "2026-03-01T10:00:20.000Z" },
  ])("waits at least as long as the service asked, when that is $name", async ({ retryAfterMs, at }) => {
    const { run, changes } = aWorld()
    await run([deferred("ERR_VAULT_THROTTLED", aChange(), retryAfterMs)])
    expect(changes.sent[0]?.scheduledAt).toEqual(new Date(at))
  })

  it("counts from this delivery where the time in the queue is not known", async () => {
    const { run, changes } = aWorld()
    const { enqueuedAt: _enqueuedAt, ...message } = aMessage()
    await run([deferred()], message)
    expect(changes.sent[0]?.properties).toMatchObject({ "kvb-retry-since": now })
    expect(changes.sent[0]?.properties).not.toHaveProperty("kvb-first-enqueued")
  })

  it("sends a change whose origin was found out, so that it is not asked again", async () => {
    const { run, changes } = aWorld()
    await run([deferred("ERR_UNKNOWN", aChange({ origin: "canary" }))])
    expect(changes.sent[0]?.properties["kvb-origin"]).toBe("canary")
  })

  it.each([
    { name: "one millisecond within", since: "2026-02-28T10:00:20.000Z", to: "changes" },
    { name: "one millisecond beyond", since: "2026-02-28T10:00:19.999Z", to: "quarantine" },
  ])("moves a change to quarantine when its next attempt is $name the longest age", async ({ since, to }) => {
    const { run, changes, quarantine } = aWorld()
    const lineage = { attempt: 0, replays: 0, retrySince: new Date(since) }
    await run([deferred()], aMessage({ lineage }))
    expect(changes.sent).toHaveLength(to === "changes" ? 1 : 0)
    expect(quarantine.sent).toHaveLength(to === "quarantine" ? 1 : 0)
  })

  it("quarantines it as a change message with its history, for at once", async () => {
    const { run, quarantine, log } = aWorld()
    const lineage = {
      attempt: 99,
      replays: 0,
      retrySince: new Date("2026-02-28T10:00:00.000Z"),
      firstCode: "ERR_STORE_FIREWALL",
    }
    await run([deferred("ERR_VAULT_FORBIDDEN")], aMessage({ lineage }))
    const [copy] = quarantine.sent
    expect(copy).not.toHaveProperty("scheduledAt")
    expect(changeOf(copy!)).toEqual([{ kind: "change", change: aChange() }])
    expect(copy?.properties).toMatchObject({
      "kvb-attempt": "100",
      "kvb-first-code": "ERR_STORE_FIREWALL",
      "kvb-last-code": "ERR_VAULT_FORBIDDEN",
      "kvb-original-id": "m1",
    })
    expect(log.entries()).toMatchObject([
      { level: "error", event: "message.quarantined", code: "ERR_VAULT_FORBIDDEN" },
    ])
  })

  it("logs what was deferred, until when", async () => {
    const { run, log } = aWorld()
    await run([deferred()])
    expect(log.entries()).toMatchObject([
      {
        level: "warn",
        event: "change.deferred",
        code: "ERR_VAULT_THROTTLED",
        attempt: 1,
        nextAt: "2026-03-01T10:00:20.000Z",
        messageId: "m1",
      },
    ])
  })
})

describe("settle, poison", () => {
  it.each([
    { name: "text", body: "hello", is: "hello" },
    { name: "bytes", body: Buffer.from([0xff, 0]), is: Buffer.from([0xff, 0]) },
    { name: "an object", body: { b: 1, a: ["ü", null] }, is: '{"b":1,"a":["ü",null]}' },
    { name: "an array", body: [], is: "[]" },
    { name: "null", body: null, is: "null" },
    { name: "a number", body: 5, is: "5" },
    { name: "nothing", body: undefined, is: "" },
  ])("sends the body that it got to quarantine with its code, and completes: $name", async ({ body, is }) => {
    const { run, changes, quarantine } = aWorld()
    await run([poison()], aMessage({ body }))
    expect(changes.sent).toEqual([])
    expect(quarantine.sent).toEqual([
      {
        body: is,
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        contentType: "application/json",
        properties: {
          "kvb-original-id": "m1",
          "kvb-first-enqueued": "2026-03-01T10:00:04.000Z",
          "kvb-first-code": "ERR_EVENT_MALFORMED",
          "kvb-last-code": "ERR_EVENT_MALFORMED",
        },
      },
    ])
  })

  it("throws what arrived lossy and sends nothing, so that the broker keeps the true bytes", async () => {
    const { run, changes, quarantine } = aWorld()
    await expect(run([deferred(), poison("ERR_EVENT_LOSSY")])).rejects.toMatchObject({
      code: "ERR_EVENT_LOSSY",
    })
    expect([changes.sent, quarantine.sent]).toEqual([[], []])
  })

  it.each([
    { name: "text that is no JSON", body: "no event", is: "no event" },
    { name: "the content of a JSON string", body: '{"messageId":"x"}', is: '"{\\"messageId\\":\\"x\\"}"' },
    { name: "a parsed object", body: { a: [1] }, is: '{"a":[1]}' },
  ])("puts $name into quarantine so that it is read as before", async ({ body, is }) => {
    const { run, quarantine } = aWorld()
    await run([poison()], aMessage({ body }))
    expect(quarantine.sent[0]?.body).toBe(is)
  })

  it("names no original message where its id is not known", async () => {
    const { run, quarantine } = aWorld()
    await run([poison()], aMessage({ messageId: "" }))
    expect(quarantine.sent[0]?.properties).not.toHaveProperty("kvb-original-id")
  })

  it("defers the good items of an array before the message goes to quarantine, once, with the first code", async () => {
    const order: string[] = []
    const queue = (name: string) => ({
      send: async ({ properties }: OutgoingMessage) => {
        order.push(`${name} ${properties["kvb-last-code"]}`)
      },
    })
    const { run } = aWorld({ changes: queue("changes"), quarantine: queue("quarantine") })
    const stored: SettledItem = { change: aChange(), outcome: { outcome: "stored", blob } }
    await run([poison("ERR_EVENT_COLLISION"), stored, deferred(), poison(), deferred("ERR_UNKNOWN")])
    expect(order).toEqual([
      "changes ERR_VAULT_THROTTLED",
      "changes ERR_UNKNOWN",
      "quarantine ERR_EVENT_COLLISION",
    ])
  })
})

describe("settle when a copy cannot be sent", () => {
  const refused = new ServiceError("ERR_QUEUE_FORBIDDEN", "no")
  const failing = (times: number) => {
    const queue = createMemoryChangeQueue()
    let left = times
    return {
      ...queue,
      sent: queue.sent,
      send: async (message: OutgoingMessage) => {
        if (left-- > 0) throw refused
        await queue.send(message)
      },
    }
  }

  it.each([
    { name: "the scheduled copy", items: [deferred()], of: "changes" },
    { name: "the quarantined message", items: [poison()], of: "quarantine" },
  ] as const)("tries again until it is sent, and completes: $name", async ({ items, of }) => {
    const queue = failing(3)
    const { run, clock, log } = aWorld({ [of]: queue })
    await expect(run(items)).resolves.toBeUndefined()
    expect(queue.sent).toHaveLength(1)
    expect(clock.sleeps).toEqual([1000, 2000, 4000])
    expect(log.entries().filter(({ event }) => event === "message.copyNotSent")).toHaveLength(3)
  })

  it.each([
    { name: "the scheduled copy", items: [deferred()], of: "changes" },
    { name: "the quarantined message", items: [poison()], of: "quarantine" },
  ] as const)("throws the queue's error four minutes after the delivery: $name", async ({ items, of }) => {
    const { run, clock } = aWorld({ [of]: failing(Infinity) })
    await expect(run(items)).rejects.toBe(refused)
    const waited = clock.sleeps.reduce((sum, ms) => sum + ms, 0)
    expect(waited).toBeLessThanOrEqual(240_000)
    expect(waited).toBeGreaterThan(220_000)
    expect(Math.max(...clock.sleeps)).toBe(15_000)
  })

  it("counts the four minutes from the delivery, not from the first send", async () => {
    const { run, clock } = aWorld({ changes: failing(Infinity) })
    clock.advance(239_500)
    await expect(run([deferred()])).rejects.toBe(refused)
    expect(clock.sleeps).toEqual([])
  })

  it("sends no half of the work as done: the message comes back whole", async () => {
    const { run, quarantine } = aWorld({ changes: failing(Infinity) })
    const second = aChange({ object: anObject({ version: 2 }) })
    await expect(run([deferred(), deferred("ERR_UNKNOWN", second), poison()])).rejects.toBe(refused)
    expect(quarantine.sent).toEqual([])
  })

  it("does not quote a foreign error", async () => {
    const send = async () => {
      throw new Error("hunter2")
    }
    const { run, log } = aWorld({ changes: { send } })
    await expect(run([deferred()])).rejects.toMatchObject({ code: "ERR_UNKNOWN" })
    expect(log.lines.join()).not.toContain("hunter2")
  })
})
