/**
 * Dates as the host's JSON serializer writes them. The host is .NET: fractions have no trailing zeros, and a
 * `DateTime` without a kind has no offset at all.
 */

/** The latest moment .NET knows: what a message without time to live expires at. */
const maxHostDate = "9999-12-31T23:59:59.9999999"

const maxHostDateMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** As `DateTimeOffset.DateTime`: UTC, but written without offset, so that a reader has to know. */
export function formatDateTime(date: Date): string {
  if (date.getTime() > maxHostDateMs) return maxHostDate
  return date.toISOString().replace(/\.?0*Z$/, "")
}

/** As `DateTimeOffset` in UTC: with `+00:00`. */
export function formatDateTimeOffset(date: Date): string {
  return `${formatDateTime(date)}+00:00`
}

/** As `DateTime` of kind UTC: with `Z`. */
export function formatUtcDateTime(date: Date): string {
  return `${formatDateTime(date)}Z`
}

const isoDateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/

/**
 * What becomes of a JSON string that looks like a date when the host reads it and makes it a string again: the
 * invariant .NET form, in UTC and without fraction, as `11/24/2026 10:00:00`. Other strings stay as they are.
 *
 * Source: https://github.com/Azure/azure-functions-host/issues/7119
 */
export function toInvariantDateText(text: string): string {
  if (!isoDateTime.test(text)) return text
  const hasZone = /(?:Z|[+-]\d\d:\d\d)$/.test(text)
  const date = new Date(hasZone ? text : `${text}Z`)
  if (Number.isNaN(date.getTime())) return text
  const [day, time] = date.toISOString().slice(0, 19).split("T")
  const [year, month, dayOfMonth] = (day ?? "").split("-")
  return `${month}/${dayOfMonth}/${year} ${time}`
}
