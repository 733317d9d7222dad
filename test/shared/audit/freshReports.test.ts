import { describe, expect, it } from "vitest"
import type { AuditReport } from "../../../shared/audit/auditReport.ts"
import { createFreshReports, periodStart, type ReportPeriod } from "../../../shared/audit/freshReports.ts"
import { fakeClock } from "../../support/fakeClock.ts"

function aReader(tookMs: number) {
  const clock = fakeClock()
  const asked: ReportPeriod[] = []
  let running = 0
  let most = 0
  const fresh = createFreshReports(async (period) => {
    asked.push(period)
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    clock.advance(tookMs)
    running -= 1
    return { query: { until: String(asked.length) } } as AuditReport
  }, clock)
  return { fresh, clock, asked, mostAtOnce: () => most }
}

describe("createFreshReports", () => {
  it("keeps a report for ten times as long as it took, so that the ledger is not listed in a loop", async () => {
    const { fresh, clock, asked } = aReader(20_000)
    await fresh("24h")
    clock.advance(199_999)
    await fresh("24h")
    expect(asked).toHaveLength(1)
    clock.advance(1)
    await fresh("24h")
    expect(asked).toHaveLength(2)
  })

  it("reads one at a time, whatever is asked for", async () => {
    const { fresh, asked, mostAtOnce } = aReader(5)
    await Promise.all([fresh("24h"), fresh("all"), fresh("24h"), fresh("7d"), fresh("all")])
    expect(asked).toEqual(["24h", "all", "7d"])
    expect(mostAtOnce()).toBe(1)
  })

  it("gives a failure to all who wait, and keeps none", async () => {
    let asked = 0
    const fresh = createFreshReports(async () => {
      asked += 1
      throw new Error(`no ${asked}`)
    }, fakeClock())
    const results = await Promise.allSettled([fresh("24h"), fresh("24h"), fresh("7d")])
    expect(results.map((result) => String((result as PromiseRejectedResult).reason))).toEqual([
      "Error: no 1",
      "Error: no 1",
      "Error: no 2",
    ])
    await expect(fresh("24h")).rejects.toThrow("no 3")
  })
})

it("counts a period back from its end", () => {
  const until = new Date("2026-03-08T12:00:00Z")
  expect(periodStart("7d", until)?.toISOString()).toBe("2026-03-01T12:00:00.000Z")
  expect(periodStart("all", until)).toBeUndefined()
})
