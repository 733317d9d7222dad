import { collectionOf, type ObjectVersion, parseVersionUrl } from "../change/objectVersion.ts"

/** Why a version has a gap record in place of a backup. */
export const gapReasons = ["disabled", "value-absent", "gone"] as const

export type GapReason = (typeof gapReasons)[number]

/** What a blob of the store is, told by its name alone. */
export type StoreEntryName =
  | { readonly kind: "record"; readonly object: ObjectVersion }
  | { readonly kind: "gap"; readonly object: ObjectVersion; readonly reason: GapReason }

/** Prefix of every sealed record. */
export const recordPrefix = "v1/"

/** Prefix of every gap record. */
export const gapPrefix = "gaps/v1/"

const recordSuffix = ".jwe.json"

/** `127.0.0.1:8443` becomes `127.0.0.1_8443`: a colon has a meaning of its own in too many tools. */
function hostSegment(host: string): string {
  return host.replace(":", "_")
}

function path(object: ObjectVersion): string {
  return `${hostSegment(object.host)}/${collectionOf(object.kind)}/${object.name}/${object.version}`
}

/** Name of the sealed record of `object`. Two versions never share one: hosts, names and versions are folded. */
export function formatRecordName(object: ObjectVersion): string {
  return `${recordPrefix}${path(object)}${recordSuffix}`
}

/** Name of the gap record of `object` for `reason`. */
export function formatGapName(object: ObjectVersion, reason: GapReason): string {
  return `${gapPrefix}${path(object)}.${reason}.json`
}

/** The `kvb` of a sealed record: its blob name without the suffix. It binds the ciphertext to the name. */
export function sealNameOf(recordName: string): string {
  return recordName.endsWith(recordSuffix) ? recordName.slice(0, -recordSuffix.length) : recordName
}

/** Prefix of all records of one vault, by its host (`host[:port]`). */
export function recordPrefixOfVault(host: string): string {
  return `${recordPrefix}${hostSegment(host)}/`
}

/** Prefix of all gap records of one vault. */
export function gapPrefixOfVault(host: string): string {
  return `${gapPrefix}${hostSegment(host)}/`
}

/** Prefix of what reconciliation remembers of one vault. */
export function reconcilePrefixOfVault(host: string): string {
  return `reconcile/v1/${hostSegment(host)}/`
}

const recordPattern = /^v1\/([^/]+)\/([^/]+)\/([^/]+)\/([0-9a-f]{32})\.jwe\.json$/
const gapPattern = /^gaps\/v1\/([^/]+)\/([^/]+)\/([^/]+)\/([0-9a-f]{32})\.([a-z-]+)\.json$/

/** Reads a name back. `undefined` for a blob that is neither a record nor a gap record. */
export function parseStoreEntryName(name: string): StoreEntryName | undefined {
  const record = recordPattern.exec(name)
  if (record) {
    const object = objectOf(record)
    return object && formatRecordName(object) === name ? { kind: "record", object } : undefined
  }
  const gap = gapPattern.exec(name)
  const reason = gapReasons.find((known) => known === gap?.[5])
  if (!gap || !reason) return undefined
  const object = objectOf(gap)
  return object && formatGapName(object, reason) === name ? { kind: "gap", object, reason } : undefined
}

function objectOf([, host, collection, name, version]: RegExpExecArray): ObjectVersion | undefined {
  const parsed = parseVersionUrl(`https://${host?.replace("_", ":")}/${collection}/${name}/${version}`)
  return "object" in parsed ? parsed.object : undefined
}
