import {
  collectionOf,
  formatVersionUrl,
  type ObjectKind,
  type ObjectVersion,
} from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import {
  gapPrefixOfVault,
  type GapReason,
  parseStoreEntryName,
  recordPrefixOfVault,
} from "../store/blobName.ts"
import { type LedgerEntry, parseLedgerEntry } from "../store/ledgerEntry.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"

/** What is to be restored: one version, the newest version of one object, or that of every object of a vault. */
export interface RestoreSelection {
  /** `host[:port]` of the vault that was backed up. It is not asked, and need not exist any more. */
  readonly host: string
  /** Absent, every object. A secret's URL also names the certificate that it stands behind. */
  readonly object?: { readonly kind: ObjectKind; readonly name: string; readonly version?: string }
  /** Only what was there at that time. Absent, the newest. */
  readonly at?: Date
}

/** A version of which no record could be made although it is newer than the one selected. */
export interface NewerGap {
  readonly id: string
  readonly reason: GapReason
}

/** One record that was selected, and what the ledger tells of it. */
export interface SelectedRecord {
  readonly object: ObjectVersion
  readonly blob: string
  /** Absent when the blob's metadata is none that this product writes. */
  readonly ledger?: LedgerEntry
  /** When the version was made, by the vault's clock where that is known. */
  readonly changedAt: Date
  readonly newerGaps: readonly NewerGap[]
  /** There is no record at all: `blob` is the gap record that says why. */
  readonly onlyGap?: GapReason
}

type Candidate = Omit<SelectedRecord, "newerGaps" | "onlyGap">

/**
 * Selects records by the listing of the store alone. Reads only; safe to repeat.
 *
 * The newest version is the one with the latest `changedat` (the vault's `created`, whole seconds); within one second
 * the latest `eventat`, then the latest `putat` decides. A version of the second in which `at` lies counts as there.
 * One name is one object: where a name was a secret and later a certificate, the newer kind is selected. The store does
 * not know of deletions, so an object that was deleted before `at` is selected as well.
 *
 * Versions of which there is a gap record and whose name has no record at all are among the result, marked.
 *
 * @returns in the order of names; at least one record.
 * @throws ServiceError ERR_STORE_NOT_FOUND when nothing is selected, with what gap records say about it; else as
 * StoreCatalog does.
 */
export async function selectRecords(
  catalog: StoreCatalog,
  selection: RestoreSelection,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<SelectedRecord[]> {
  const options = signal ? { signal } : {}
  const gaps = new Map<string, OpenGap>()
  for (const prefix of prefixesOf(gapPrefixOfVault(selection.host), selection)) {
    for await (const { name, metadata, createdAt } of catalog.list(prefix, options)) {
      const entry = parseStoreEntryName(name)
      if (entry?.kind !== "gap" || !isSelected(entry.object, selection)) continue
      const { changedAt, eventAt, putAt } = parseLedgerEntry(metadata) ?? {}
      const { object, reason } = entry
      const gap = {
        id: formatVersionUrl(object),
        reason,
        object,
        blob: name,
        // Reconciliation may write it months after the version was made.
        at: changedAt ?? eventAt ?? putAt ?? createdAt,
      }
      gaps.set(versionKey(object), gap)
    }
  }
  const newest = new Map<string, Candidate>()
  for (const prefix of prefixesOf(recordPrefixOfVault(selection.host), selection)) {
    for await (const { name, metadata, createdAt } of catalog.list(prefix, options)) {
      const entry = parseStoreEntryName(name)
      if (entry?.kind !== "record" || !isSelected(entry.object, selection)) continue
      const { object } = entry
      gaps.delete(versionKey(object))
      const ledger = parseLedgerEntry(metadata)
      const changedAt = ledger?.changedAt ?? ledger?.eventAt ?? ledger?.putAt ?? createdAt
      const candidate = { object, blob: name, changedAt, ...(ledger ? { ledger } : {}) }
      if (selection.at && changedAt > selection.at) continue
      const known = newest.get(object.name)
      if (!known || isNewer(candidate, known)) newest.set(object.name, candidate)
    }
  }
  if (newest.size === 0) throw nothing(selection, [...gaps.values()])
  const open = [...gaps.values()].filter(({ at }) => !selection.at || at <= selection.at)
  const records = [...newest.values()].map((candidate) => ({
    ...candidate,
    newerGaps: open
      .filter(({ object, at }) => object.name === candidate.object.name && at > candidate.changedAt)
      .map(({ id, reason }) => ({ id, reason })),
  }))
  const unrecorded = open.filter(({ object }) => !newest.has(object.name)).map(onlyGap)
  return [...records, ...unrecorded].sort((one, other) => (one.object.name < other.object.name ? -1 : 1))
}

type OpenGap = NewerGap & { readonly object: ObjectVersion; readonly blob: string; readonly at: Date }

function onlyGap({ object, blob, at, reason }: OpenGap): SelectedRecord {
  return { object, blob, changedAt: at, newerGaps: [], onlyGap: reason }
}

/** A secret's name is looked for among certificates, too. */
function prefixesOf(prefix: string, { object }: RestoreSelection): string[] {
  if (!object) return [prefix]
  const kinds: readonly ObjectKind[] = object.kind === "secret" ? ["secret", "certificate"] : ["certificate"]
  return kinds.map((kind) => `${prefix}${collectionOf(kind)}/${object.name}/`)
}

function isSelected(object: ObjectVersion, { object: asked }: RestoreSelection): boolean {
  return asked?.version === undefined || asked.version === object.version
}

function versionKey({ name, version }: ObjectVersion): string {
  return `${name}/${version}`
}

function isNewer(one: Candidate, other: Candidate): boolean {
  const order =
    one.changedAt.getTime() - other.changedAt.getTime() ||
    timeOf(one.ledger?.eventAt) - timeOf(other.ledger?.eventAt) ||
    timeOf(one.ledger?.putAt) - timeOf(other.ledger?.putAt)
  return order > 0
}

function timeOf(time: Date | undefined): number {
  return time?.getTime() ?? 0
}

function nothing({ host, object, at }: RestoreSelection, gaps: readonly NewerGap[]): ServiceError {
  const named = object?.version === undefined ? "this object" : "this version"
  const what = object ? named : "any version of this vault"
  const when = at ? ` at ${at.toISOString()} or before` : ""
  const [gap] = gaps
  const why = gap ? `: its gap record says ${gap.reason}` : ""
  return new ServiceError("ERR_STORE_NOT_FOUND", `The store has no record of ${what}${when}${why}`, {
    details: { host, ...(object ? { name: object.name } : {}) },
    hint: "Check the spelling of the URL, --at, and that BACKUP_STORE_URL and BACKUP_STORE_CONTAINER name the store with its backups.",
  })
}
