import { describe, expect, it } from "vitest"
import { createVaultLimiter } from "../../../shared/vault/vaultLimiter.ts"
import { anObject, host, vault, versionId } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { aReconcileWorld } from "../../support/memoryReconcile.ts"

const isSlow = process.env["SLOW"] === "1"

describe("a budget", () => {
  it("of calls ends a run, which the next one goes on from until all is done (C32)", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 100; version++) {
      const object = world.set(`s-${String(version).padStart(3, "0")}`, version)
      if (version % 10 > 0) await world.record(object)
    }
    const seen: number[] = []
    for (let run = 0; run < 20; run++) {
      const before = world.calls
      const { result } = await world.run({ execute: world.execute, budget: { maxCalls: 25 } })
      expect(world.calls - before).toBeLessThanOrEqual(25)
      seen.push(result.counts.versions)
      if (!result.incomplete) break
      expect(result.incomplete).toEqual({ reason: "budget" })
    }
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(100)
    expect(new Set(world.sentIds()).size).toBe(10)
    expect(world.sent).toHaveLength(10)
  })

  it("of time is shared by the vaults", async () => {
    const world = aReconcileWorld()
    const other = anObject({ host: "kv-other.vault.azure.net", name: "s" })
    world.held.set(other, {})
    for (let version = 1; version <= 100; version++) world.set(`s-${version}`, version)
    world.hooks.beforeCall = () => world.clock.advance(1000)
    const { results } = await world.run({ vaults: [vault, other.vault], budget: { ms: 60_000 } })
    expect(results.map(({ incomplete }) => incomplete?.reason)).toEqual(["budget", undefined])
    expect(world.clock.now().getTime()).toBeLessThan(Date.parse("2026-03-01T12:00:50Z"))
  })
})

describe("a run", () => {
  it("that is spent before anything was compared is remembered, so that the next run goes on (C32)", async () => {
    const { set, run, execute, sentIds } = aReconcileWorld()
    for (const name of ["a", "b", "c"]) set(name, 1)
    const { result } = await run({ execute, budget: { maxCalls: 1 } })
    expect(result.incomplete).toMatchObject({ reason: "budget" })
    expect(sentIds()).toEqual([])
    const next = await run({ execute: { ...execute, onlyUnfinished: true } })
    expect(next.result).toMatchObject({ continues: result.run, counts: { versions: 3, sent: 3 } })
  })

  it("that only goes on with what was cut off begins nothing", async () => {
    const world = aReconcileWorld()
    world.set("s", 1)
    await expect(world.run({ execute: { ...world.execute, onlyUnfinished: true } })).rejects.toThrow(
      "Nothing was reconciled",
    )
    expect(world.calls).toBe(0)
    expect(world.sent).toEqual([])
  })

  it("sends no faster than it may", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 300; version++) world.set("s", version)
    const startMs = world.clock.now().getTime()
    await world.run({ execute: { ...world.execute, maxPerSecond: 10 } })
    const seconds = (world.clock.now().getTime() - startMs) / 1000
    expect(seconds).toBeGreaterThanOrEqual(20)
    expect(seconds).toBeLessThanOrEqual(30)
  })

  it("stops when it is interrupted, and the next one goes on", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 40; version++) world.set(`s-${version}`, version)
    const controller = new AbortController()
    const { result } = await world.run({
      execute: { ...world.execute, pageGaps: 10 },
      signal: controller.signal,
      onProgress: (versions) => {
        if (versions === 15) controller.abort(new DOMException("Interrupted", "AbortError"))
      },
    })
    expect(result.incomplete).toEqual({ reason: "interrupted" })
    const next = await world.run({ execute: world.execute })
    expect(next.result).toMatchObject({ continues: result.run, counts: { versions: 40, sent: 40 } })
  })

  it("lets live calls to the vault go first, however many of its own wait (C50)", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 30; version++) await world.record(world.set(`s-${version}`, version))
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 2, maxLimit: 2 })
    const order: string[] = []
    let live: Promise<void>[] = []
    const call = async (priority: string) => {
      order.push(priority)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { pagerOf } = world.parts
    Object.assign(world.parts, {
      limiter,
      pagerOf: (pace: Parameters<typeof pagerOf>[0]) =>
        pagerOf((name, list) =>
          pace(name, async () => {
            await call("background")
            // Seven names wait for their turn when five live calls come in.
            if (order.length === 4)
              live = Array.from({ length: 5 }, () => limiter.run(host, () => call("live")))
            return list()
          }),
        ),
    })
    const { result } = await world.run()
    await Promise.all(live)
    expect(result.counts.stored).toBe(30)
    expect(order.slice(0, 12).lastIndexOf("live")).toBeLessThanOrEqual(9)
    expect(order.filter((priority) => priority === "live")).toHaveLength(5)
  })
})

describe("the first run over a full vault (C32)", () => {
  const versions = isSlow ? 100_000 : 20_000

  it(`sends ${versions} versions of one secret, each once, in bounded memory`, async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= versions; version++) world.set("deep", version)
    const { result } = await world.run({ execute: world.execute })
    expect(result.counts).toMatchObject({ versions, gaps: { missing: versions }, sent: versions })
    const ids = world.sentIds()
    expect(ids).toHaveLength(versions)
    expect(ids[0]).toBe(`${vault}/secrets/deep/${versionId(1)}`)
    expect(new Set(ids).size).toBe(versions)
    // Names once for each kind, and the versions: 25 a page.
    expect(world.calls).toBeLessThanOrEqual(versions / 25 + 4)
  })
})
