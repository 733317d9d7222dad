import { stringify } from "csv-stringify/sync"
import { collectionOf, formatVersionUrl } from "../change/objectVersion.ts"
import { parseStoreEntryName } from "../store/blobName.ts"
import type { LedgerEntry } from "../store/ledgerEntry.ts"
import type { Objective } from "./objective.ts"
import type { OpenGap } from "./openGaps.ts"
import type { VersionLine } from "./readLedger.ts"
import { latencyOf, stages } from "./stages.ts"

type Cell = string | number | boolean | undefined

/** A stored version with what is reckoned of it. */
interface StoredRow extends VersionLine {
  readonly latencyMs: number | undefined
  readonly limitMs: number
}

/** What a column holds of a stored version, and of an open gap; nothing where it says nothing. */
interface Column {
  readonly name: string
  readonly stored?: (row: StoredRow) => Cell
  readonly gap?: (gap: OpenGap) => Cell
}

const timeColumn = (
  name: "changedAt" | "eventAt" | "enqueuedAt" | "receivedAt" | "readAt" | "putAt",
): Column => ({
  name,
  stored: ({ entry }) => entry?.[name]?.toISOString(),
})
const entryColumn = (name: "origin" | "attempt" | "replays" | "eventId" | "sha256"): Column => ({
  name,
  stored: ({ entry }: { readonly entry?: LedgerEntry }) => entry?.[name],
})

/** The columns of the export, one row a version. Described in `docs/formats.md`. */
const columns: readonly Column[] = [
  { name: "state", stored: () => "stored", gap: () => "gap" },
  { name: "id", stored: ({ object }) => formatVersionUrl(object), gap: ({ id }) => id },
  { name: "vault", stored: ({ object }) => object.vault, gap: ({ vault }) => vault },
  {
    name: "collection",
    stored: ({ object }) => collectionOf(object.kind),
    gap: (gap) => collectionOf(objectOf(gap)?.kind ?? "secret"),
  },
  { name: "name", stored: ({ object }) => object.name, gap: (gap) => objectOf(gap)?.name },
  { name: "version", stored: ({ object }) => object.version, gap: (gap) => objectOf(gap)?.version },
  entryColumn("origin"),
  entryColumn("attempt"),
  entryColumn("replays"),
  { name: "latencyMs", stored: ({ latencyMs }) => latencyMs },
  {
    name: "isWithin",
    stored: ({ latencyMs, limitMs }) => (latencyMs === undefined ? undefined : latencyMs <= limitMs),
    gap: () => false,
  },
  {
    ...timeColumn("changedAt"),
    gap: ({ since, isSinceKnown }) => (isSinceKnown ? since : undefined),
  },
  timeColumn("eventAt"),
  timeColumn("enqueuedAt"),
  timeColumn("receivedAt"),
  timeColumn("readAt"),
  timeColumn("putAt"),
  {
    name: "witnessedAt",
    stored: ({ witnessedAt }) => witnessedAt.toISOString(),
    gap: ({ witnessedAt }) => witnessedAt,
  },
  ...stages.map((stage): Column => ({ name: `${stage}Ms`, stored: (row) => row.stages?.[stage] })),
  entryColumn("eventId"),
  { name: "kids", stored: ({ entry }) => entry?.kids.join(" ") },
  entryColumn("sha256"),
  { name: "sizeBytes", stored: ({ sizeBytes }) => sizeBytes },
  { name: "isPublicOnly", stored: ({ entry }) => entry?.isPublicOnly === true },
  { name: "reason", gap: ({ reason }) => reason },
  { name: "code", gap: ({ code }) => code },
  {
    name: "problem",
    stored: ({ problem }) => problem,
    gap: ({ isSinceKnown }) => (isSinceKnown ? undefined : "time-absurd"),
  },
  { name: "blob", stored: ({ blob }) => blob, gap: ({ blob }) => blob },
]

/** Rows of the export as text, in pieces, so that its size does not matter. */
export interface LedgerCsv {
  readonly addVersion: (line: VersionLine) => void
  readonly addGap: (gap: OpenGap) => void
  /** Hands over what is left, and the head where there was no row. */
  readonly end: () => void
}

/** More at once is not faster, and makes the process larger. */
const rowsAtOnce = 10

/**
 * An export that hands its text to `write`. Texts that a spreadsheet would take for a formula get an apostrophe in
 * front; numbers are numbers. See https://owasp.org/www-community/attacks/CSV_Injection.
 */
export function createLedgerCsv(write: (text: string) => void, { limitMs }: Objective): LedgerCsv {
  let rows: string[][] = [columns.map(({ name }) => name)]
  const flush = () => {
    if (rows.length > 0) write(stringify(rows))
    rows = []
  }
  const add = (row: string[]) => {
    rows.push(row)
    if (rows.length >= rowsAtOnce) flush()
  }
  return {
    addVersion: (line) => {
      const latencyMs = line.stages && !line.problem ? latencyOf(line.stages) : undefined
      const row = { ...line, latencyMs, limitMs }
      add(columns.map(({ stored }) => toCell(stored?.(row))))
    },
    addGap: (gap) => add(columns.map((column) => toCell(column.gap?.(gap)))),
    end: flush,
  }
}

function objectOf({ blob }: OpenGap) {
  return parseStoreEntryName(blob)?.object
}

function toCell(value: Cell): string {
  if (value === undefined) return ""
  if (typeof value !== "string") return String(value)
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}
