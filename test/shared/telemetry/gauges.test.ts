import { describe, expect, it } from "vitest"
import { canaryAgeLimitMs } from "../../../shared/audit/canary.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { createVaultLimiter } from "../../../shared/vault/vaultLimiter.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { memoryTelemetry } from "../../support/memoryTelemetry.ts"

const minute = 60_000

function aWorld() {
  const clock = fakeClock("2026-03-01T12:00:00.000Z")
  return { clock, ...memoryTelemetry(clock) }
}

const empty = { deferred: [], deadLettered: [], quarantined: [], complete: true }

describe("gauges of the backlog", () => {
  it("give each cause by where its messages are, and strangers' words as one", async () => {
    const { telemetry, points } = aWorld()
    telemetry.sawBacklog({
      ...empty,
      deferred: [{ cause: "ERR_VAULT_THROTTLED", count: 2 }],
      deadLettered: [
        { cause: "MaxDeliveryCountExceeded", count: 3 },
        { cause: "db-password", count: 4 },
        { cause: "unknown", count: 1 },
      ],
    })
    const of = (backlog: string, cause: string, value: number) => ({
      attributes: { "kvbackup.backlog": backlog, "kvbackup.cause": cause },
      value,
    })
    expect(await points("kvbackup.backlog.messages")).toEqual([
      of("deferred", "ERR_VAULT_THROTTLED", 2),
      of("deadLettered", "MaxDeliveryCountExceeded", 3),
      of("deadLettered", "other", 5),
    ])
  })

  it("tell how old the oldest change was at the last look, and are 0 when none waits", async () => {
    const { telemetry, points, clock } = aWorld()
    const changedAt = new Date("2026-03-01T11:00:00.000Z")
    telemetry.sawBacklog({ ...empty, oldestUnprotected: { id: "x", changedAt } })
    clock.advance(5 * minute)
    expect(await points("kvbackup.backlog.oldest_unprotected_age")).toEqual([{ attributes: {}, value: 3600 }])
    telemetry.sawBacklog(empty)
    expect(await points("kvbackup.backlog.oldest_unprotected_age")).toEqual([{ attributes: {}, value: 0 }])
  })

  it("say nothing before the first look, and nothing any more when the looking has stopped", async () => {
    const { telemetry, points, clock } = aWorld()
    const names = ["kvbackup.backlog.messages", "kvbackup.backlog.oldest_unprotected_age"]
    const all = async () => {
      const found = []
      for (const name of names) found.push(...(await points(name)))
      return found
    }
    expect(await all()).toEqual([])
    telemetry.sawBacklog({ ...empty, deferred: [{ cause: "ERR_UNKNOWN", count: 1 }] })
    clock.advance(11 * minute)
    expect(await all()).toHaveLength(2)
    clock.advance(1)
    expect(await all()).toEqual([])
  })
})

describe("the gauge of the canary", () => {
  it("grows with time, and falls silent before it would raise an alarm on an instance whose timer has moved", async () => {
    const { telemetry, points, clock } = aWorld()
    telemetry.sawCanary(clock.now())
    clock.advance(40 * minute)
    expect(await points("kvbackup.canary.age")).toEqual([{ attributes: {}, value: 2400 }])
    clock.advance(canaryAgeLimitMs - 40 * minute)
    expect(await points("kvbackup.canary.age")).toEqual([])
  })

  it("gives the age of an old proof that was just looked at", async () => {
    const { telemetry, points, clock } = aWorld()
    telemetry.sawCanary(new Date(clock.now().getTime() - 3 * 3_600_000))
    expect(await points("kvbackup.canary.age")).toEqual([{ attributes: {}, value: 10_800 }])
  })
})

it("the limiter shows its limit, its calls and the 429s of each vault", async () => {
  const { telemetry, points, clock } = aWorld()
  const limiter = createVaultLimiter({ clock, onThrottled: telemetry.throttled })
  telemetry.watchLimiter(limiter, ["a", "b"])
  let finish = () => {}
  const running = limiter.run("a", () => new Promise<void>((resolve) => (finish = resolve)))
  const refused = limiter.run("b", () => Promise.reject(new ServiceError("ERR_VAULT_THROTTLED", "no")))
  await expect(refused).rejects.toThrow()
  const of = (vault: string, value: number) => ({ attributes: { "kvbackup.vault": vault }, value })
  expect(await points("kvbackup.vault.limit")).toEqual([of("a", 16), of("b", 8)])
  expect(await points("kvbackup.vault.in_flight")).toEqual([of("a", 1), of("b", 0)])
  expect(await points("kvbackup.vault.throttled")).toEqual([of("b", 1)])
  finish()
  await running
})

it("replays and canaries are counted by how they ended", async () => {
  const { telemetry, points } = aWorld()
  telemetry.replayed({
    sent: 3,
    removed: 1,
    quarantined: 0,
    unconfirmed: 0,
    refused: 0,
    vanished: 0,
    undone: 2,
  })
  telemetry.canaryRan("proved")
  telemetry.canaryRan("late", "ERR_CANARY_LATE")
  const results = (await points("kvbackup.replay.messages")).map(({ attributes, value }) => [
    attributes["kvbackup.replay.result"],
    value,
  ])
  expect(results).toEqual([
    ["sent", 3],
    ["removed", 1],
    ["undone", 2],
  ])
  expect((await points("kvbackup.canary.runs")).map(({ attributes }) => attributes)).toEqual([
    { "kvbackup.canary.result": "proved" },
    { "kvbackup.canary.result": "late", "error.type": "ERR_CANARY_LATE" },
  ])
})
