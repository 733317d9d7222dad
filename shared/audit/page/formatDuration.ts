const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A duration for people, in three figures at most: `84 ms`, `1.25 s`, `4 min 12 s`, `3 h 2 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  const size = Math.abs(ms)
  const sign = ms < 0 ? "−" : ""
  if (size < secondMs) return `${sign}${Math.round(size)} ms`
  if (size < 59_950) return `${sign}${trimmed(size / secondMs, size < 10 * secondMs ? 2 : 1)} s`
  if (size < hourMs - 500) return `${sign}${pair(size, minuteMs, "min", secondMs, "s")}`
  if (size < dayMs - minuteMs / 2) return `${sign}${pair(size, hourMs, "h", minuteMs, "min")}`
  return `${sign}${pair(size, dayMs, "d", hourMs, "h")}`
}

/** As `formatDuration`, rounded to one unit, for how long ago something was: `12 s`, `3 min`, `2 d`. */
export function formatAge(ms: number): string {
  const size = Math.max(0, ms)
  if (size < minuteMs) return `${Math.floor(size / secondMs)} s`
  if (size < hourMs) return `${Math.floor(size / minuteMs)} min`
  if (size < 2 * dayMs) return `${Math.floor(size / hourMs)} h`
  return `${Math.floor(size / dayMs)} d`
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const inSmall = Math.round(ms / smallMs)
  const ratio = largeMs / smallMs
  const rest = inSmall % ratio
  const whole = `${Math.floor(inSmall / ratio).toLocaleString("en-US")} ${large}`
  return rest === 0 ? whole : `${whole} ${rest} ${small}`
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
