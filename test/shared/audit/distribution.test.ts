import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createDistribution } from "../../../shared/audit/distribution.ts"
import { isMeaningful, rankOf } from "../../../shared/audit/percentile.ts"
import { propertyRuns } from "../../support/propertyRuns.ts"

describe("rankOf", () => {
  it.each([
    { percentile: 99, count: 0, rank: 0 },
    { percentile: 99, count: 1, rank: 1 },
    { percentile: 50, count: 4, rank: 2 },
    { percentile: 99, count: 12, rank: 12 },
    { percentile: 99, count: 99, rank: 99 },
    { percentile: 99, count: 100, rank: 99 },
    { percentile: 99, count: 101, rank: 100 },
    { percentile: 99.9, count: 1000, rank: 999 },
    { percentile: 99.999, count: 1_000_000, rank: 999_990 },
    { percentile: 57, count: 100, rank: 57 },
    { percentile: 0.001, count: 10, rank: 1 },
    { percentile: 100, count: 7, rank: 7 },
  ])("is $rank for the p$percentile of $count values", ({ percentile, count, rank }) => {
    expect(rankOf(percentile, count)).toBe(rank)
  })

  it("says of 99 values that their p99 means nothing, and of 100 that it does", () => {
    expect([
      isMeaningful(99, 99),
      isMeaningful(99, 100),
      isMeaningful(99.9, 999),
      isMeaningful(99.9, 1000),
    ]).toEqual([false, true, false, true])
  })
})

describe("createDistribution", () => {
  const values = fc.array(fc.oneof(fc.integer({ min: -300, max: 300 }), fc.maxSafeInteger()), {
    maxLength: 2000,
  })

  it("has at every rank the value that sorting all of them gives", () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const distribution = createDistribution()
        const second = createDistribution()
        for (const value of one) distribution.add(value)
        for (const value of other) second.add(value)
        distribution.absorb(second)
        const sorted = [...one, ...other].sort((a, b) => a - b)
        expect(distribution.count()).toBe(sorted.length)
        expect(sorted.map((_value, index) => distribution.at(index + 1))).toEqual(sorted)
        expect(distribution.countBelow(0)).toBe(sorted.filter((value) => value < 0).length)
        expect([...second.runs().counts].reduce((sum, count) => sum + count, 0)).toBe(other.length)
      }),
      propertyRuns(20),
    )
  })

  it("keeps each of 300,000 values that come again and again once", () => {
    const distribution = createDistribution()
    for (let index = 0; index < 300_000; index += 1) distribution.add((index * 7919) % 1000)
    expect(distribution.count()).toBe(300_000)
    expect(distribution.runs().values.length).toBe(1000)
    expect([
      distribution.at(1),
      distribution.at(300),
      distribution.at(301),
      distribution.at(300_000),
    ]).toEqual([0, 0, 1, 999])
  })

  it("refuses a rank that is not there", () => {
    const distribution = createDistribution()
    distribution.add(5)
    expect(() => distribution.at(0)).toThrow(RangeError)
    expect(() => distribution.at(2)).toThrow(RangeError)
  })
})
