import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { createRelayClock } from "../../../local/eventGrid/relayClock.ts"

describe("createRelayClock", () => {
  it("lets a minute pass in a second at speed 60, for waits already under way too", async () => {
    const clock = createRelayClock()
    const startedAt = performance.now()
    const done = new Promise<void>((resolve) => {
      clock.schedule(12_000, resolve)
    })
    await sleep(20)
    clock.setSpeed(60)
    await done
    const tookMs = performance.now() - startedAt
    expect(tookMs).toBeGreaterThan(200)
    expect(tookMs).toBeLessThan(600)
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(12_000)
  })

  it("keeps unscaled waits in wall time, and stamps too", async () => {
    const clock = createRelayClock(1000)
    const calls: string[] = []
    clock.scheduleUnscaled(400, () => calls.push("unscaled"))
    clock.schedule(60_000, () => calls.push("scaled"))
    await sleep(200)
    expect(calls).toEqual(["scaled"])
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(50)
    await sleep(300)
    expect(calls).toEqual(["scaled", "unscaled"])
  })

  it("forgets what is cancelled", async () => {
    const clock = createRelayClock(1000)
    const calls: string[] = []
    const cancels = [
      clock.schedule(1000, () => calls.push("a")),
      clock.scheduleUnscaled(1, () => calls.push("b")),
    ]
    for (const cancel of cancels) cancel()
    clock.setSpeed(2000)
    await sleep(50)
    expect(calls).toEqual([])
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses speed %d", (speed) => {
    expect(() => createRelayClock().setSpeed(speed)).toThrow(TypeError)
  })
})
