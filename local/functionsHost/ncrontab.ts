/** When a timer function is due. */
export interface Schedule {
  /** The first moment after `after` (whole seconds, UTC), or undefined when there is none in eight years. */
  next(after: Date): Date | undefined
}

interface Field {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] as const
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const

const fields = {
  second: { min: 0, max: 59 },
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  day: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: months },
  weekday: { min: 0, max: 6, names: weekdays },
} as const satisfies Record<string, Field>

const horizonYears = 8

/**
 * Parses the schedule of a timer trigger: NCRONTAB with six fields (second minute hour day month weekday), or
 * with five, where the second is 0. Day and weekday must both fit. Times are UTC.
 *
 * @throws Error that quotes the expression when it is none.
 *
 * Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */
export function parseSchedule(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/)
  if (parts.length === 5) parts.unshift("0")
  const [second, minute, hour, day, month, weekday, ...rest] = parts
  if (weekday === undefined || rest.length > 0) throw invalid(expression)
  const read = (field: Field, text = "") => parseField(field, text, expression)
  const fit = {
    second: read(fields.second, second),
    minute: read(fields.minute, minute),
    hour: read(fields.hour, hour),
    day: read(fields.day, day),
    month: read(fields.month, month),
    weekday: read(fields.weekday, weekday),
  }
  return { next: (after) => nextOccurrence(fit, after) }
}

type Fit = Readonly<Record<keyof typeof fields, ReadonlySet<number>>>

function nextOccurrence(fit: Fit, after: Date): Date | undefined {
  const at = new Date(Math.floor(after.getTime() / 1000) * 1000 + 1000)
  const lastYear = at.getUTCFullYear() + horizonYears
  while (at.getUTCFullYear() <= lastYear) {
    if (!fit.month.has(at.getUTCMonth() + 1)) {
      at.setUTCMonth(at.getUTCMonth() + 1, 1)
      at.setUTCHours(0, 0, 0, 0)
    } else if (!fit.day.has(at.getUTCDate()) || !fit.weekday.has(at.getUTCDay())) {
      at.setUTCDate(at.getUTCDate() + 1)
      at.setUTCHours(0, 0, 0, 0)
    } else if (!fit.hour.has(at.getUTCHours())) {
      at.setUTCHours(at.getUTCHours() + 1, 0, 0, 0)
    } else if (!fit.minute.has(at.getUTCMinutes())) {
      at.setUTCMinutes(at.getUTCMinutes() + 1, 0, 0)
    } else if (!fit.second.has(at.getUTCSeconds())) {
      at.setUTCSeconds(at.getUTCSeconds() + 1, 0)
    } else {
      return at
    }
  }
  return undefined
}

function parseField(field: Field, text: string, expression: string): ReadonlySet<number> {
  const values = new Set<number>()
  for (const item of text.split(",")) {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item)
    if (!match) throw invalid(expression)
    const [, star, from, to, step = "1"] = match
    const first = star ? field.min : parseValue(field, from, expression)
    const isOpen = star !== undefined || (to === undefined && match[4] !== undefined)
    const last = isOpen ? field.max : parseValue(field, to ?? from, expression)
    if (first > last || Number(step) < 1) throw invalid(expression)
    for (let value = first; value <= last; value += Number(step)) values.add(value)
  }
  return values
}

function parseValue(field: Field, text: string | undefined, expression: string): number {
  const named = field.names?.findIndex((name) => name === text?.toLowerCase().slice(0, 3)) ?? -1
  const value = named >= 0 ? named + field.min : Number(text)
  if (!Number.isInteger(value) || value < field.min || value > field.max) throw invalid(expression)
  return value
}

function invalid(expression: string): Error {
  return new Error(`The schedule expression '${expression}' was not recognized as a valid cron expression.`)
}
