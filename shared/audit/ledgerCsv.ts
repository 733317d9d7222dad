import { stringify } from "csv-stringify/sync"
import { collectionOf, formatVersionUrl } from "../change/objectVersion.ts"
import { parseStoreEntryName } from "../store/blobName.ts"
import type { Objective } from "./objective.ts"
import type { OpenGap } from "./openGaps.ts"
import type { VersionLine } from "./readLedger.ts"
import { latencyOf, stages } from "./stages.ts"

/** The columns of the export, one row a version. Described in `docs/formats.md`. */
export const csvColumns = [
  "state",
  "id",
  "vault",
  "collection",
  "name",
  "version",
  "origin",
  "attempt",
  "replays",
  "latencyMs",
  "isWithin",
  "changedAt",
  "eventAt",
  "enqueuedAt",
  "receivedAt",
  "readAt",
  "putAt",
  "witnessedAt",
  ...stages.map((stage) => `${stage}Ms` as const),
  "eventId",
  "kids",
  "sha256",
  "sizeBytes",
  "isPublicOnly",
  "reason",
  "code",
  "problem",
  "blob",
] as const

type Cell = string | number | boolean | undefined
type Row = Partial<Record<(typeof csvColumns)[number], Cell>>

/** Rows of the export as text, in pieces, so that its size does not matter. */
export interface LedgerCsv {
  readonly addVersion: (line: VersionLine) => void
  readonly addGap: (gap: OpenGap) => void
  /** Hands over what is left, and the head where there was no row. */
  readonly end: () => void
}

const rowsAtOnce = 500

/**
 * An export that hands its text to `write`. Texts that a spreadsheet would take for a formula get an apostrophe in
 * front; numbers are numbers. See https://owasp.org/www-community/attacks/CSV_Injection.
 */
export function createLedgerCsv(write: (text: string) => void, { limitMs }: Objective): LedgerCsv {
  let rows: string[][] = [[...csvColumns]]
  const flush = () => {
    if (rows.length > 0) write(stringify(rows))
    rows = []
  }
  const add = (row: Row) => {
    rows.push(csvColumns.map((column) => toCell(row[column])))
    if (rows.length >= rowsAtOnce) flush()
  }
  return {
    addVersion: (line) => add(versionRow(line, limitMs)),
    addGap: (gap) => add(gapRow(gap)),
    end: flush,
  }
}

function versionRow(
  { blob, object, entry, stages: stageTimes, problem, witnessedAt, sizeBytes }: VersionLine,
  limitMs: number,
): Row {
  const latencyMs = stageTimes && !problem ? latencyOf(stageTimes) : undefined
  return {
    state: "stored",
    id: formatVersionUrl(object),
    vault: object.vault,
    collection: collectionOf(object.kind),
    name: object.name,
    version: object.version,
    origin: entry?.origin,
    attempt: entry?.attempt,
    replays: entry?.replays,
    latencyMs,
    isWithin: latencyMs === undefined ? undefined : latencyMs <= limitMs,
    changedAt: entry?.changedAt?.toISOString(),
    eventAt: entry?.eventAt?.toISOString(),
    enqueuedAt: entry?.enqueuedAt?.toISOString(),
    receivedAt: entry?.receivedAt?.toISOString(),
    readAt: entry?.readAt?.toISOString(),
    putAt: entry?.putAt.toISOString(),
    witnessedAt: witnessedAt.toISOString(),
    ...Object.fromEntries(stages.map((stage) => [`${stage}Ms`, stageTimes?.[stage]])),
    eventId: entry?.eventId,
    kids: entry?.kids.join(" "),
    sha256: entry?.sha256,
    sizeBytes,
    isPublicOnly: entry?.isPublicOnly === true,
    problem,
    blob,
  }
}

function gapRow({ id, vault, blob, reason, code, since, witnessedAt, isSinceKnown }: OpenGap): Row {
  const object = parseStoreEntryName(blob)?.object
  return {
    state: "gap",
    id,
    vault,
    collection: object && collectionOf(object.kind),
    name: object?.name,
    version: object?.version,
    isWithin: false,
    changedAt: isSinceKnown ? since : undefined,
    witnessedAt,
    reason,
    code,
    problem: isSinceKnown ? undefined : "time-absurd",
    blob,
  }
}

function toCell(value: Cell): string {
  if (value === undefined) return ""
  if (typeof value !== "string") return String(value)
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}
