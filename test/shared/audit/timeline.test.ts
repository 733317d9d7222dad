import { describe, expect, it } from "vitest"
import { createDistribution } from "../../../shared/audit/distribution.ts"
import { toHistogram } from "../../../shared/audit/latencyHistogram.ts"
import { createTimeline } from "../../../shared/audit/timeline.ts"

const day = Date.UTC(2026, 2, 1)
const minute = 60_000

describe("createTimeline", () => {
  it("has buckets of a minute for some hours, and leaves out the empty ones", () => {
    const timeline = createTimeline()
    timeline.add(new Date(day), 10)
    timeline.add(new Date(day + 59_000), 70_000)
    timeline.add(new Date(day + 399 * minute), 30)
    timeline.addGap(new Date(day + 5 * minute))
    const buckets = timeline.buckets(60_000)
    expect(
      buckets.map(({ from, count, p50Ms, maxMs, breaches, openGaps }) => [
        from,
        count,
        p50Ms,
        maxMs,
        breaches,
        openGaps,
      ]),
    ).toEqual([
      ["2026-03-01T00:00:00.000Z", 2, 10, 70_000, 1, 0],
      ["2026-03-01T00:05:00.000Z", 0, null, null, 0, 1],
      ["2026-03-01T06:39:00.000Z", 1, 30, 30, 0, 0],
    ])
    expect(buckets[0]?.to).toBe("2026-03-01T00:01:00.000Z")
  })

  it("widens them so that there are never more than 400, whatever the order", () => {
    const times = Array.from({ length: 3000 }, (_value, index) => day + ((index * 7919) % 3000) * 7 * minute)
    const [one, other] = [createTimeline(), createTimeline()]
    for (const time of times) one.add(new Date(time), time % 1000)
    for (const time of times.toSorted((a, b) => b - a)) other.add(new Date(time), time % 1000)
    const buckets = one.buckets(60_000)
    expect(buckets).toEqual(other.buckets(60_000))
    expect(buckets.length).toBeLessThanOrEqual(400)
    expect(Date.parse(buckets[0]?.to ?? "") - Date.parse(buckets[0]?.from ?? "")).toBe(60 * minute)
    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(3000)
  })

  it("holds a century", () => {
    const timeline = createTimeline()
    for (let year = 1970; year < 2070; year += 1) timeline.add(new Date(Date.UTC(year, 0, 1)), 1)
    expect(timeline.buckets(60_000).length).toBe(100)
  })
})

describe("toHistogram", () => {
  it("puts every value into one bin, and has the limit as a bound", () => {
    const lateness = createDistribution()
    const values = [0, 9, 10, 14, 15, 59_999, 60_000, 60_001, 86_400_000]
    for (const value of values) lateness.add(value)
    const bins = toHistogram(lateness, 60_000)
    const filled = bins.filter(({ count }) => count > 0)
    expect(filled.map(({ fromMs, toMs, count }) => [fromMs, toMs, count])).toEqual([
      [0, 10, 2],
      [10, 15, 2],
      [15, 20, 1],
      [50_000, 60_001, 2],
      [60_001, 70_000, 1],
      [70_000_000, 100_000_000, 1],
    ])
    expect([bins[0]?.fromMs, bins.at(-1)?.toMs]).toEqual([0, 100_000_000])
    expect(toHistogram(createDistribution(), 60_000)).toEqual([])
  })
})
