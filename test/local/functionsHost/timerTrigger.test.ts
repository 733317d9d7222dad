import { afterEach, describe, expect, it } from "vitest"
import type { TriggerInput } from "../../../local/functionsHost/invokeFunction.ts"
import { parseSchedule } from "../../../local/functionsHost/ncrontab.ts"
import {
  startTimerTrigger,
  type TimerPump,
  type TimerStatus,
} from "../../../local/functionsHost/timerTrigger.ts"
import { eventually } from "./fixtureHost.ts"

let pump: TimerPump | undefined
afterEach(() => pump?.stop())

interface TimerInfo {
  readonly IsPastDue: boolean
  readonly ScheduleStatus: { readonly Last: string; readonly Next: string } | null
}

/** A timer that notes what it is invoked with; each invocation takes `runMs`. */
function startTimer(
  schedule: string,
  {
    stored,
    isListening = true,
    runOnStartup = false,
    useMonitor,
    runMs = 0,
    fails = false,
  }: {
    stored?: TimerStatus
    isListening?: boolean
    runOnStartup?: boolean
    useMonitor?: boolean
    runMs?: number
    fails?: boolean
  } = {},
) {
  const infos: TimerInfo[] = []
  const statuses: TimerStatus[] = []
  const target = { name: "timer", metadata: { bindings: {} }, callback: () => {} }
  pump = startTimerTrigger({
    trigger: { type: "timerTrigger", target, schedule: parseSchedule(schedule), useMonitor, runOnStartup },
    isListening,
    stored,
    invoke: async (_target, bind: () => TriggerInput) => {
      infos.push(JSON.parse(bind().data.json!) as TimerInfo)
      await new Promise((resolve) => setTimeout(resolve, runMs))
      if (fails) throw new Error("failed")
      return {}
    },
    onStatus: (status) => statuses.push(status),
  })
  return { pump, infos, statuses }
}

const yearly = "0 0 0 1 1 *"
const nextNewYear = `${new Date().getUTCFullYear() + 1}-01-01T00:00:00`

describe("startTimerTrigger", () => {
  it("runs at once, past due, when an occurrence was missed while no host ran", async () => {
    const stored = { last: "2020-01-01T00:00:00.000Z", next: "2021-01-01T00:00:00.000Z" }
    const { infos, statuses } = startTimer(yearly, { stored })
    await eventually(() => statuses.length === 2)
    expect(infos).toMatchObject([{ IsPastDue: true, ScheduleStatus: { Last: "2020-01-01T00:00:00+00:00" } }])
    expect(statuses[1]).toMatchObject({ next: `${nextNewYear}.000Z` })
    expect(Date.now() - Date.parse(statuses[1]!.last!)).toBeLessThan(5000)
  })

  it.each([
    { name: "nothing was missed", options: { stored: { next: `${nextNewYear}.000Z` } } },
    { name: "there is no status yet", options: {} },
    {
      name: "another host listens",
      options: { isListening: false, stored: { next: "2021-01-01T00:00:00.000Z" } },
    },
    {
      name: "the status is not monitored",
      options: { useMonitor: false, stored: { next: "2021-01-01T00:00:00.000Z" } },
    },
  ])("waits for the schedule when $name", async ({ options }) => {
    const { infos } = startTimer(yearly, options)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(infos).toEqual([])
  })

  it("runs at start when the function wants that, not past due", async () => {
    const { infos } = startTimer(yearly, { runOnStartup: true })
    await eventually(() => infos.length === 1)
    expect(infos).toMatchObject([{ IsPastDue: false, ScheduleStatus: { Next: `${nextNewYear}+00:00` } }])
  })

  it("keeps its schedule when a run fails, and never overlaps", async () => {
    const { infos, pump } = startTimer("* * * * * *", { runMs: 1200, fails: true })
    await eventually(() => infos.length === 2)
    await expect(pump.runNow()).rejects.toThrow("failed")
    expect(infos.length).toBeGreaterThanOrEqual(3)
    expect(infos.every(({ ScheduleStatus }) => ScheduleStatus === null)).toBe(true)
  })

  it("runs no more once stopped, and waits for the run under way", async () => {
    const { infos, pump } = startTimer("* * * * * *", { runMs: 300 })
    await eventually(() => infos.length === 1)
    const startedAt = Date.now()
    await pump.stop()
    expect(Date.now() - startedAt).toBeGreaterThan(200)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(infos).toHaveLength(1)
  })
})
