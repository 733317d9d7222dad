import { type Origin, origins } from "../change/change.ts"

/** Blob metadata as the service keeps it: ASCII names and values. */
export type BlobMetadata = Readonly<Record<string, string>>

/**
 * What a blob's metadata proves of one version: when it changed, and when each stage handled it. The store is
 * the ledger: there is no second database. Format: `docs/formats.md`.
 */
export interface LedgerEntry {
  /** The vault's `created`, in whole seconds. */
  readonly changedAt?: Date
  /** The event's own time; its precision is the publisher's. */
  readonly eventAt?: Date
  /** When the first message of this change entered the queue. */
  readonly enqueuedAt?: Date
  /** When this delivery reached the function. */
  readonly receivedAt?: Date
  readonly readAt?: Date
  /** Just before the PUT. */
  readonly putAt: Date
  readonly origin: Origin
  /** 1 for a change that was never deferred. */
  readonly attempt: number
  readonly replays: number
  readonly eventId?: string
  /** Recipients that can open the record, in their order. Empty for a gap record. */
  readonly kids: readonly string[]
  readonly format: string
  /** Of the stored bytes, 64 hex digits. */
  readonly sha256: string
  /** The error code of a gap record. */
  readonly code?: string
  /** The record is of a certificate whose policy keeps the private key in the vault: only its public part is stored. */
  readonly isPublicOnly?: boolean
}

/** Only what looks like an id goes into metadata: a forged event must not put text into a header. */
const safeId = /^[A-Za-z0-9._:/=+-]{1,128}$/

/** The entry as blob metadata. A time that does not exist is left out; no user text ever goes in. */
export function formatLedgerEntry(entry: LedgerEntry): BlobMetadata {
  const metadata: Record<string, string> = {}
  const time = (key: string, value: Date | undefined) => {
    if (value) metadata[key] = value.toISOString()
  }
  time("changedat", entry.changedAt)
  time("eventat", entry.eventAt)
  time("enqueuedat", entry.enqueuedAt)
  time("receivedat", entry.receivedAt)
  time("readat", entry.readAt)
  time("putat", entry.putAt)
  metadata["origin"] = entry.origin
  metadata["attempt"] = String(entry.attempt)
  metadata["replays"] = String(entry.replays)
  if (entry.eventId !== undefined && safeId.test(entry.eventId)) metadata["eventid"] = entry.eventId
  if (entry.kids.length > 0) metadata["kid"] = entry.kids.join(",")
  metadata["format"] = entry.format
  metadata["sha256"] = entry.sha256
  if (entry.code !== undefined) metadata["code"] = entry.code
  if (entry.isPublicOnly) metadata["privatekey"] = "absentByPolicy"
  return metadata
}

/**
 * Reads metadata back. `undefined` when what every entry must have is missing or wrong: then the blob was not
 * written by this product, and the caller reports it.
 */
export function parseLedgerEntry(metadata: BlobMetadata): LedgerEntry | undefined {
  const time = (key: string): Date | undefined => parseTime(metadata[key])
  const putAt = time("putat")
  const origin = origins.find((known) => known === metadata["origin"])
  const { format, sha256 } = metadata
  const attempt = parseCount(metadata["attempt"] ?? "1")
  const replays = parseCount(metadata["replays"] ?? "0")
  if (!putAt || !origin || !format || !/^[0-9a-f]{64}$/.test(sha256 ?? "")) return undefined
  if (attempt === undefined || replays === undefined) return undefined
  return {
    ...optional("changedAt", time("changedat")),
    ...optional("eventAt", time("eventat")),
    ...optional("enqueuedAt", time("enqueuedat")),
    ...optional("receivedAt", time("receivedat")),
    ...optional("readAt", time("readat")),
    putAt,
    origin,
    attempt,
    replays,
    ...optional("eventId", metadata["eventid"]),
    kids: (metadata["kid"] ?? "").split(",").filter((kid) => kid !== ""),
    format,
    sha256: sha256 ?? "",
    ...optional("code", metadata["code"]),
    ...(metadata["privatekey"] === "absentByPolicy" ? { isPublicOnly: true } : {}),
  }
}

function parseCount(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/**
 * A time as services write it, or `undefined` for what is none. Fractions beyond milliseconds are cut; a time
 * without an offset is UTC, wherever this machine is.
 */
export function parseTime(text: string | undefined): Date | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT/.test(text)) return undefined
  const time = new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`)
  return Number.isNaN(time.getTime()) || !isDay(text.slice(0, 10)) ? undefined : time
}

/** `new Date` takes 30 February for 2 March. */
function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}
