// One blob of reconciliation's memory, format keyvault-reconcile/1: docs/formats.md.
import { createHash } from "node:crypto"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import { reconcilePrefixOfVault } from "../store/blobName.ts"
import type { BlobMetadata } from "../store/ledgerEntry.ts"
import { gapCauses } from "./gap.ts"

const reconcileFormat = "keyvault-reconcile/1"

/**
 * `running`: so far. `complete`: the run compared every version that the vault listed. `incomplete`: it came to the end,
 * and some names could not be listed.
 */
export const reconcileStates = ["running", "complete", "incomplete"] as const

const count = z.int().min(0)
const time = z.iso.datetime({ precision: 3 })

/** What one blob holds. Counts are of the whole run, with the runs that it goes on from. */
export const reconcileSchema = z.object({
  format: z.literal(reconcileFormat),
  run: z.string(),
  /** `https://host[:port]`. */
  vault: z.string(),
  state: z.enum(reconcileStates),
  /** Versions that came into being later may not have been looked at. */
  startedAt: time,
  at: time,
  /** The run that was cut off, and whose place this one took. */
  continues: z.string().optional(),
  /** While running: everything up to this version was compared, and what was found was sent. */
  through: z.object({ name: z.string(), version: z.string() }).optional(),
  counts: z.object({
    /** That the vault listed. */
    versions: count,
    stored: count,
    excluded: count,
    gaps: z.object({
      missing: count,
      disabled: count,
      "value-absent": count,
      gone: count,
      lost: count,
    } satisfies Record<(typeof gapCauses)[number], typeof count>),
    sent: count,
    /** Gap records that were written. */
    recorded: count,
  }),
  /** Names whose versions the vault did not list, at most the first hundred. */
  untold: z.array(z.object({ name: z.string(), code: z.string() })),
})

export type ReconcileRecord = z.infer<typeof reconcileSchema>

export type ReconcileCounts = ReconcileRecord["counts"]

/** Counts of nothing. */
export function noCounts(): ReconcileCounts {
  return {
    versions: 0,
    stored: 0,
    excluded: 0,
    gaps: { missing: 0, disabled: 0, "value-absent": 0, gone: 0, lost: 0 },
    sent: 0,
    recorded: 0,
  }
}

/** How many gaps there are, of whatever cause. */
export function countGaps({ gaps }: ReconcileCounts): number {
  return gapCauses.reduce((sum, cause) => sum + gaps[cause], 0)
}

/** Which run and page a blob is of; the last one of a run is its summary. */
export interface ReconcileName {
  readonly run: string
  readonly page: number | "summary"
}

/** `reconcile/v1/HOST/RUN/PAGE.json`; PAGE has six digits, and `summary` sorts after them. */
export function formatReconcileName(host: string, { run, page }: ReconcileName): string {
  return `${reconcilePrefixOfVault(host)}${run}/${page === "summary" ? page : String(page).padStart(6, "0")}.json`
}

/** Reads a name back; `undefined` for a blob that is none of reconciliation. */
export function parseReconcileName(name: string): ReconcileName | undefined {
  const [, run, page] =
    /^reconcile\/v1\/[^/]+\/(\d{8}T\d{6}Z-[0-9a-f]{8})\/(\d{6}|summary)\.json$/.exec(name) ?? []
  if (run === undefined || page === undefined) return undefined
  return { run, page: page === "summary" ? page : Number(page) }
}

/** The blob: its bytes, and metadata by which a listing alone is evidence. */
export function formatReconcileBlob(record: Omit<ReconcileRecord, "format">): {
  readonly body: Uint8Array
  readonly metadata: BlobMetadata
} {
  const { vault, run, state, startedAt, at, ...rest } = record
  const ordered: ReconcileRecord = { format: reconcileFormat, run, vault, state, startedAt, at, ...rest }
  const body = Buffer.from(JSON.stringify(ordered))
  const { counts } = record
  return {
    body,
    metadata: {
      format: reconcileFormat,
      putat: at,
      sha256: createHash("sha256").update(body).digest("hex"),
      state,
      startedat: startedAt,
      ...(record.continues === undefined ? {} : { continues: record.continues }),
      versions: String(counts.versions),
      gaps: String(countGaps(counts)),
      sent: String(counts.sent),
    },
  }
}

/**
 * Reads a blob of reconciliation.
 *
 * @throws ServiceError ERR_FORMAT_NEWER for what this release does not read.
 */
export function parseReconcileBlob(name: string, body: Uint8Array): ReconcileRecord {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(body))
  } catch {
    json = undefined
  }
  const parsed = reconcileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new ServiceError("ERR_FORMAT_NEWER", "Reconciliation left a record that this release does not read", {
    details: { blob: name },
  })
}
