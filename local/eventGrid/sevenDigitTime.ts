import { randomInt } from "node:crypto"

/**
 * ISO-8601 UTC with seven fractional digits, as Event Grid writes times. The clock has three; the other four
 * are drawn, so that whoever reads with less precision is seen to.
 */
export function sevenDigitTime(time: Date): string {
  const belowMilliseconds = String(randomInt(10_000)).padStart(4, "0")
  return `${time.toISOString().slice(0, -1)}${belowMilliseconds}Z`
}
