/** A time as this page shows it: ISO order, UTC, to the millisecond: `2026-03-01 12:00:00.123`. */
export function formatTime(time: string | Date): string {
  return toIso(time).replace("T", " ").replace("Z", "")
}

/** To the second: `2026-03-01 12:00:00`. */
export function formatSecond(time: string | Date): string {
  return formatTime(time).slice(0, 19)
}

/** The UTC day: `2026-03-01`. */
export function formatDay(time: string | Date): string {
  return toIso(time).slice(0, 10)
}

function toIso(time: string | Date): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString()
}
