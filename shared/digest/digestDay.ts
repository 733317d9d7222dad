import { ServiceError } from "../errors.ts"

/** A day in UTC, `2026-11-24`. Days compare as text. */
export type Day = string

/** Both ends belong to it. */
export interface DayRange {
  readonly from: Day
  readonly to: Day
}

const dayMs = 86_400_000

/**
 * A day is closed so long after its end: by then whatever the service dates into it is in the listing, and a clock
 * that runs ahead by less does no harm.
 */
const closedAfterMs = 15 * 60_000

/** The timer runs half an hour after midnight; a digest that is missing before this is only not there yet. */
const dueAfterMs = 2 * 3_600_000

/** The day of a moment. */
export function dayOf(time: Date): Day {
  return time.toISOString().slice(0, 10)
}

/** The first moment of a day. */
export function startOfDay(day: Day): Date {
  return new Date(`${day}T00:00:00.000Z`)
}

/** The day that is `days` later, or earlier where that is below 0. */
export function addDays(day: Day, days: number): Day {
  return dayOf(new Date(startOfDay(day).getTime() + days * dayMs))
}

/** The first moment after a day. */
export function endOfDay(day: Day): Date {
  return startOfDay(addDays(day, 1))
}

/** The newest day that has been over for 15 minutes. */
export function lastClosedDay(now: Date): Day {
  return addDays(dayOf(new Date(now.getTime() - closedAfterMs)), -1)
}

/** The newest day that has been over for two hours: its digest must be there. */
export function lastDueDay(now: Date): Day {
  return addDays(dayOf(new Date(now.getTime() - dueAfterMs)), -1)
}

/** Every day of a range, in order. */
export function* daysOf({ from, to }: DayRange): Generator<Day> {
  for (let day = from; day <= to; day = addDays(day, 1)) yield day
}

/** Is this a day that the calendar has? */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = startOfDay(text)
  return !Number.isNaN(time.getTime()) && dayOf(time) === text
}

/**
 * Reads `2026-11-24`, `2026-11-01..2026-11-24` or `all`.
 *
 * @throws ServiceError ERR_CONFIG_INVALID for anything else, and for a range that ends before it begins.
 */
export function parseDayRange(text: string): DayRange | "all" {
  if (text === "all") return "all"
  const [from = "", to = from, ...more] = text.split("..")
  if (more.length === 0 && isDay(from) && isDay(to) && from <= to) return { from, to }
  throw new ServiceError(
    "ERR_CONFIG_INVALID",
    "Days are written 2026-11-24, 2026-11-01..2026-11-24 (UTC, both ends meant), or all",
  )
}
