import { describe, expect, it } from "vitest"
import { canaryAgeLimitMs } from "../../../shared/audit/canary.ts"
import type { Origin } from "../../../shared/change/change.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { anObject, vault } from "../../support/builders.ts"
import { aCanaryWorld, canaryName as name, canaryStart as start } from "../../support/memoryCanary.ts"

const before = (ms: number) => new Date(Date.parse(start) - ms)

describe("a canary", () => {
  it("is proved when the blob of exactly its version is listed, and only then the heartbeat goes out", async () => {
    const { run, lines, set, beats, results, points } = aCanaryWorld()
    await run()
    expect(set).toHaveLength(1)
    expect(lines()).toEqual([
      { level: "warn", event: "canary.age", limitSeconds: canaryAgeLimitMs / 1000 },
      {
        level: "info",
        event: "canary.proved",
        object: `${vault}/secrets/${name}/${anObject({ version: 101 }).version}`,
        tookMs: 3500,
      },
    ])
    expect(beats).toEqual([3500])
    expect(await results()).toEqual([{ "kvbackup.canary.result": "proved" }])
    expect(await points("kvbackup.canary.age")).toEqual([{ attributes: {}, value: 3.5 }])
  })

  it("is a version without tags, whose value is another each time and says what it is", async () => {
    const { run, set } = aCanaryWorld()
    await run()
    await run()
    const [first, second] = set.map(({ value }) => value.reveal())
    expect(first).toMatch(/^backup canary 2026-03-01T12:00:00.000Z [0-9a-f-]{36}$/)
    expect(second).not.toBe(first)
    expect(set.map(({ tags, enabled }) => ({ tags, enabled }))).toEqual([
      { tags: {}, enabled: true },
      { tags: {}, enabled: true },
    ])
  })

  it("C11 is late when no event brings it: an error with its code, no heartbeat, and the run fails", async () => {
    const { run, lines, beats, results, clock } = aCanaryWorld({ afterMs: 1e9 })
    await expect(run()).rejects.toMatchObject({ code: "ERR_CANARY_LATE" })
    expect(lines().at(-1)).toMatchObject({
      level: "error",
      event: "canary.late",
      code: "ERR_CANARY_LATE",
      object: `${vault}/secrets/${name}/${anObject({ version: 101 }).version}`,
    })
    expect(beats).toEqual([])
    expect(await results()).toEqual([{ "kvbackup.canary.result": "late", "error.type": "ERR_CANARY_LATE" }])
    const waitedMs = clock.now().getTime() - Date.parse(start)
    expect(waitedMs).toBeGreaterThan(110_000)
    expect(waitedMs).toBeLessThanOrEqual(120_000)
  })

  it.each<{ origin: Origin }>([{ origin: "reconcile" }, { origin: "replay" }])(
    "C11 is late also when $origin stored it: the way of live changes is what it proves",
    async ({ origin }) => {
      const { run, beats } = aCanaryWorld({ origin })
      await expect(run()).rejects.toMatchObject({ code: "ERR_CANARY_LATE" })
      expect(beats).toEqual([])
    },
  )

  it("is not called late when the store could not be looked at: that is another error", async () => {
    let looks = 0
    const { run, lines, beats, results } = aCanaryWorld({
      catalog: {
        // oxlint-disable-next-line require-yield
        async *list() {
          looks += 1
          if (looks > 1) throw new ServiceError("ERR_STORE_FORBIDDEN", "no")
        },
      },
    })
    await expect(run()).rejects.toMatchObject({ code: "ERR_STORE_FORBIDDEN" })
    expect(lines().at(-1)).toMatchObject({
      level: "error",
      event: "canary.failed",
      code: "ERR_STORE_FORBIDDEN",
    })
    expect(await results()).toEqual([
      { "kvbackup.canary.result": "failed", "error.type": "ERR_STORE_FORBIDDEN" },
    ])
    expect(beats).toEqual([])
  })

  it("says so when the vault does not take it", async () => {
    const { run, lines } = aCanaryWorld({
      writer: { setSecret: () => Promise.reject(new ServiceError("ERR_VAULT_FORBIDDEN", "no")) },
    })
    await expect(run()).rejects.toMatchObject({ code: "ERR_VAULT_FORBIDDEN" })
    expect(lines().at(-1)).toMatchObject({ event: "canary.failed", code: "ERR_VAULT_FORBIDDEN" })
  })

  it("tells a heartbeat that was not taken, and is proved all the same", async () => {
    const { run, lines, results } = aCanaryWorld({ heartbeat: async () => "503" })
    await run()
    expect(lines().at(-1)).toEqual({ level: "warn", event: "canary.heartbeatFailed", problem: "503" })
    expect(await results()).toEqual([{ "kvbackup.canary.result": "proved" }])
  })
})

describe("the age of the canary", () => {
  it.each([
    { name: "young", ageMs: 1_800_000, level: "info" },
    { name: "as old as it may be", ageMs: canaryAgeLimitMs, level: "info" },
    { name: "too old", ageMs: canaryAgeLimitMs + 1000, level: "error" },
  ])("C63 is told first, as $level when it is $name", async ({ ageMs, level }) => {
    const { run, lines, record } = aCanaryWorld({ afterMs: 1e9 })
    await record(anObject({ name, version: 1 }), before(ageMs + 3_600_000), "canary")
    await record(anObject({ name, version: 2 }), before(ageMs), "canary")
    await record(anObject({ name, version: 3 }), before(0), "reconcile")
    await expect(run()).rejects.toThrow()
    expect(lines()[0]).toEqual({
      level,
      event: "canary.age",
      ageSeconds: ageMs / 1000,
      limitSeconds: canaryAgeLimitMs / 1000,
      object: `${vault}/secrets/${name}/${anObject({ version: 2 }).version}`,
      changedAt: before(ageMs).toISOString(),
    })
  })

  it("is all there is while backup is paused: nothing is set, and nothing is called", async () => {
    const { run, lines, set, beats, record, points } = aCanaryWorld({ isPaused: true })
    await record(anObject({ name, version: 1 }), before(canaryAgeLimitMs + 60_000), "canary")
    await run()
    expect(lines()).toMatchObject([{ level: "error", event: "canary.age", paused: true }])
    expect([set, beats]).toEqual([[], []])
    expect(await points("kvbackup.canary.age")).toEqual([
      { attributes: {}, value: canaryAgeLimitMs / 1000 + 60 },
    ])
  })
})
