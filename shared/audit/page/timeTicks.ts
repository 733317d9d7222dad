const minuteMs = 60_000
const dayMs = 86_400_000

/**
 * Words for the ticks of an axis of times that is `spanMs` long, in UTC: the clock of 24 hours, below it the day where
 * one begins; over many days the days alone.
 */
export function timeTickFormat(
  spanMs: number,
): (time: Date, index: number, ticks?: readonly Date[]) => string {
  return (time, index, ticks = []) => {
    const [day = "", clock = ""] = time.toISOString().split("T")
    const [dayBefore = ""] = ticks[index - 1]?.toISOString().split("T") ?? []
    if (spanMs > 4 * dayMs) return day.slice(0, 4) === dayBefore.slice(0, 4) ? day.slice(5) : day
    const short = clock.slice(0, spanMs < 10 * minuteMs ? 8 : 5)
    return day === dayBefore ? short : `${short}\n${day.slice(5)}`
  }
}
