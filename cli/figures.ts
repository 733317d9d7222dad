import { parseDurationMs } from "../shared/settingFormats.ts"

/** Milliseconds as seconds to the millisecond, such as `0.045 s`: nothing is rounded. */
export function formatMs(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const

/** A span for people in its two largest units, such as `2 h 5 min`; cut, not rounded. Days count from the second on. */
export function formatSpan(ms: number): string {
  const from = Math.max(
    0,
    units.findIndex(([name, unitMs]) => ms >= (name === "d" ? 2 : 1) * unitMs),
  )
  if (ms < 1000) return `${ms} ms`
  let rest = ms
  const parts = units.slice(from, from + 2).map(([name, unitMs]) => {
    const whole = Math.floor(rest / unitMs)
    rest -= whole * unitMs
    return whole > 0 ? `${whole} ${name}` : ""
  })
  return parts.filter((part) => part !== "").join(" ")
}

/** The objective as the setting has it, such as `p99=60s`. */
export function formatObjective({ percentile, limitMs }: { percentile: number; limitMs: number }): string {
  const text = ["d", "h", "m", "s", "ms"]
    .map((unit) => ({ unit, ms: parseDurationMs(`1${unit}`) ?? 1 }))
    // A minute is said as 60s, as settings say it.
    .find(({ ms }) => limitMs % ms === 0 && limitMs > ms)
  return `p${percentile}=${limitMs / (text?.ms ?? 1)}${text?.unit ?? "ms"}`
}
