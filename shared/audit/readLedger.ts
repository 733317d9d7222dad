import type { ObjectVersion } from "../change/objectVersion.ts"
import { toServiceError } from "../errors.ts"
import {
  gapPrefixOfVault,
  type GapReason,
  parseStoreEntryName,
  recordPrefixOfVault,
} from "../store/blobName.ts"
import { type LedgerEntry, parseLedgerEntry } from "../store/ledgerEntry.ts"
import type { StoreCatalog, StoredBlob } from "../store/storeCatalog.ts"
import { checkEntry } from "./checkEntry.ts"
import type { ProblemCode, Problems } from "./problems.ts"
import { measureStages, type StageTimes } from "./stages.ts"

/** Prefixes that are counted and never measured: write-once records of the other jobs. */
export const otherPrefixes = ["digest", "journal", "reconcile", "drill", "probe"] as const

export type OtherPrefix = (typeof otherPrefixes)[number]

/** One blob of the store, as the ledger tells it. */
export type LedgerLine =
  | (VersionLine & { readonly kind: "record" })
  | (VersionLine & { readonly kind: "gap"; readonly reason: GapReason })
  | { readonly kind: "other"; readonly prefix: OtherPrefix }
  | { readonly kind: "foreign"; readonly blob: string; readonly witnessedAt: Date }

/** A blob about one version. Without entry and stages its metadata cannot be read. */
export interface VersionLine {
  readonly blob: string
  readonly object: ObjectVersion
  /** The service's own time of creation. */
  readonly witnessedAt: Date
  readonly sizeBytes: number
  readonly entry?: LedgerEntry
  readonly stages?: StageTimes
  /** Why its figures are not to be used. */
  readonly problem?: ProblemCode
}

export interface ReadLedgerOptions {
  readonly store: StoreCatalog
  /** Only blobs about this vault, by its URL; without it every blob of the container. */
  readonly vault?: string
  /** Blobs that the service witnessed at this time or later are left out; absent: none is. */
  readonly until?: Date
  readonly problems: Problems
  readonly signal?: AbortSignal
}

/**
 * Reads the store's listing as the ledger, gaps first, in the order of names; the whole is never held in memory. Reads
 * only; safe to repeat.
 *
 * A listing that breaks off ends the ledger: its code is among the problems, and what came before it stands.
 *
 * @returns was it read to its end?
 * @throws ServiceError as StoreCatalog does when not even the first blob could be listed.
 */
export async function* readLedger(options: ReadLedgerOptions): AsyncGenerator<LedgerLine, boolean> {
  const { store, vault, until, problems, signal } = options
  const host = vault === undefined ? undefined : new URL(vault).host
  const prefixes = host === undefined ? [""] : [gapPrefixOfVault(host), recordPrefixOfVault(host)]
  let last: string | undefined
  try {
    for (const prefix of prefixes) {
      for await (const blob of store.list(prefix, signal ? { signal } : {})) {
        last = blob.name
        if (until === undefined || blob.createdAt < until) yield toLine(blob)
      }
    }
    return true
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (last === undefined) throw error
    problems.addError(error, `after ${last}`)
    return false
  }
}

function toLine(blob: StoredBlob): LedgerLine {
  const { name, createdAt: witnessedAt, sizeBytes, metadata } = blob
  const parsed = parseStoreEntryName(name)
  if (!parsed) {
    const prefix = otherPrefixes.find((known) => name.startsWith(`${known}/`))
    return prefix ? { kind: "other", prefix } : { kind: "foreign", blob: name, witnessedAt }
  }
  const entry = parseLedgerEntry(metadata)
  const stageTimes = entry && measureStages(entry, witnessedAt)
  const problem = checkEntry(parsed.kind, metadata, entry, stageTimes, witnessedAt)
  return {
    ...parsed,
    blob: name,
    witnessedAt,
    sizeBytes,
    ...(entry ? { entry } : {}),
    ...(stageTimes ? { stages: stageTimes } : {}),
    ...(problem ? { problem } : {}),
  }
}
