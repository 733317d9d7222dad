import { describe, expect, it } from "vitest"
import { nextRetryDelayMs } from "../../../shared/backup/retrySchedule.ts"

const settings = { firstDelayMs: 15_000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 }
const middle = 0.5

describe("nextRetryDelayMs", () => {
  it("doubles from the first delay to the longest", () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7, 100, 1e6].map((failed) =>
      nextRetryDelayMs(failed, settings, middle),
    )
    expect(delays).toEqual([
      15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000, 900_000,
    ])
  })

  it.each([
    { name: "lowest", random: 0, first: 12_000, longest: 720_000 },
    { name: "highest", random: 1, first: 18_000, longest: 1_080_000 },
  ])("gives or takes 20 %: $name", ({ random, first, longest }) => {
    expect(nextRetryDelayMs(0, settings, random)).toBe(first)
    expect(nextRetryDelayMs(50, settings, random)).toBe(longest)
  })

  it("never goes below what the service asked for, and above it where the schedule is", () => {
    expect(nextRetryDelayMs(0, settings, 0, 60_000)).toBe(60_000)
    expect(nextRetryDelayMs(0, settings, middle, 3_600_000)).toBe(3_600_000)
    expect(nextRetryDelayMs(3, settings, middle, 1000)).toBe(120_000)
  })

  it("gives whole milliseconds", () => {
    expect(nextRetryDelayMs(0, { ...settings, firstDelayMs: 333 }, 0.123)).toBe(
      Math.round(333 * (0.8 + 0.4 * 0.123)),
    )
  })
})
