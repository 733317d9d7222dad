import { type Day, isDay } from "./digestDay.ts"

/** Prefix of the signed digests. */
export const digestPrefix = "digest/v1/"

/** Prefix of the lists of what they cover. */
export const entryListPrefix = "digest/entries/v1/"

/** How many names a day has: where somebody else has taken the first, the next is used. */
export const digestAttempts = 10

/** Name of the digest of `day`; `attempt` is above 0 only where the names before it were taken by somebody else. */
export function formatDigestName(day: Day, attempt: number): string {
  return `${digestPrefix}${day}${attempt === 0 ? "" : `.${attempt}`}.json`
}

/** Reads such a name back. */
export function parseDigestName(name: string): { readonly day: Day; readonly attempt: number } | undefined {
  const match = /^digest\/v1\/(\d{4}-\d\d-\d\d)(?:\.([1-9]))?\.json$/.exec(name)
  const [, day = "", attempt = "0"] = match ?? []
  return match && isDay(day) ? { day, attempt: Number(attempt) } : undefined
}

/**
 * Name of a list of entries: by what it holds, so that a run that comes again writes none twice.
 *
 * @param salt - where somebody else has taken that name.
 */
export function formatEntryListName(day: Day, sha256: string, salt?: string): string {
  return `${entryListPrefix}${day}/${sha256}${salt === undefined ? "" : `-${salt}`}.jsonl.gz`
}

const entryListPattern = /^digest\/entries\/v1\/(\d{4}-\d\d-\d\d)\/[0-9a-f]{64}(?:-[0-9a-f]{16})?\.jsonl\.gz$/

/** The day that a list is of; `undefined` for what is no list's name. */
export function dayOfEntryList(name: string): Day | undefined {
  const day = entryListPattern.exec(name)?.[1]
  return day !== undefined && isDay(day) ? day : undefined
}

/** Is this the name of a digest or of a list? Only such names become paths of files. */
export function isCopiedName(name: string): boolean {
  return parseDigestName(name) !== undefined || entryListPattern.test(name)
}
