import type { ObjectKind } from "../change/objectVersion.ts"
import { type ErrorCode, type ServiceError, toServiceError } from "../errors.ts"
import {
  gapPrefixOfVault,
  type GapReason,
  recordPrefixOfVault,
  type StoreEntryName,
} from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { VaultPager } from "../vault/vaultPager.ts"
import { compareName, type Gap, type HeldVersion, type NameContents } from "./gap.ts"
import { type KindsByName, listHeldVersions } from "./heldVersions.ts"
import { byName, createNameCursor, isNameBefore, type NameCursor } from "./nameCursor.ts"

/** How far a scan is: every version up to this one, in the order of names and then of versions, was compared. */
export interface ScanPosition {
  readonly name: string
  readonly version: string
}

/** A name whose versions the vault did not list, and why. */
export interface UntoldName {
  readonly name: string
  readonly code: ErrorCode
}

/** The comparison of some versions under one name. */
export interface ScanStep {
  readonly through: ScanPosition
  readonly versions: number
  readonly stored: number
  readonly excluded: number
  readonly gaps: readonly Gap[]
  readonly untold?: UntoldName
}

export interface ScanVaultOptions {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly names: KindsByName
  readonly pager: VaultPager
  readonly catalog: StoreCatalog
  /** Patterns of names that are not backed up. */
  readonly exclude: readonly string[]
  /** Goes on after this one. */
  readonly after?: ScanPosition
  readonly signal?: AbortSignal
}

/** Names whose versions are listed at once; the vault's limiter lets through what it can. */
const namesAhead = 8
/** Versions in one step. */
const stepSize = 500
/** When so many names in a row cannot be listed, it is not about the names. */
const maxUntoldInRow = 20
const allKinds: ReadonlySet<ObjectKind> = new Set(["secret", "certificate"])
const noVersions: ReadonlyMap<string, HeldVersion> = new Map()
/** After the last version of a name, in the order of versions. */
const afterLast = "~"

/** Faults of one object. Whatever else keeps a name from being listed keeps all of them. */
const ownFaults: ReadonlySet<ErrorCode> = new Set([
  "ERR_VAULT_RESPONSE_INVALID",
  "ERR_VAULT_FORBIDDEN",
  "ERR_VAULT_VERSION_DISABLED",
  "ERR_UNKNOWN",
])

/**
 * Compares a vault with the store, name by name in the store's order: one pass over the store's listing, and the vault's
 * versions a name at a time. Writes nothing; safe to repeat. Memory: the versions under eight names.
 *
 * A name that the vault does not list is told as untold, and the scan goes on.
 *
 * @throws ServiceError when the store's listing fails, or the vault's for a cause that is not of one name. What was
 * yielded stays valid, and proves nothing of the rest.
 */
export async function* scanVault(options: ScanVaultOptions): AsyncGenerator<ScanStep> {
  const { vault, names, catalog, exclude, after, signal } = options
  const { host } = new URL(vault)
  const open = (prefix: string) => createNameCursor(catalog, prefix, signal ? { signal } : {})
  const openBoth = (prefix: string) => [open(`${prefix}certificates/`), open(`${prefix}secrets/`)]
  const records = openBoth(recordPrefixOfVault(host))
  const gapRecords = openBoth(gapPrefixOfVault(host))
  const isDone = (name: string) => after !== undefined && isNameBefore(name, after.name)
  const wanted = [...names.keys()].filter((name) => !isDone(name)).sort(byName)
  const listing = listAhead(wanted, options)
  let untoldInRow = 0
  try {
    for (let at = 0; ;) {
      signal?.throwIfAborted()
      const name = firstName([wanted[at], ...(await Promise.all(gapRecords.map((of) => of.peek())))])
      if (name === undefined) return
      const isHeld = name === wanted[at]
      const early = isHeld ? await listing(at++) : { held: noVersions }
      const entries = (await Promise.all(records.map((of) => of.take(name)))).flat()
      const gaps = (await Promise.all(gapRecords.map((of) => of.take(name)))).flat()
      if (isDone(name)) continue
      // A gap record may be younger than the list of names, or of versions: before a version is called lost, the vault is
      // asked again.
      const isMissed = "held" in early && gaps.some(({ object }) => !early.held.has(object.version))
      const listed = isMissed ? await list(name, allKinds, options) : early
      if ("error" in listed) {
        untoldInRow += 1
        if (!ownFaults.has(listed.error.code) || untoldInRow > maxUntoldInRow) throw listed.error
        yield { ...nothing(name), untold: { name, code: listed.error.code } }
        continue
      }
      untoldInRow = 0
      const stored = { name, records: new Set(entries.map(versionOf)), gapRecords: gapRecordsOf(gaps) }
      const compared = compareName(vault, { ...stored, held: listed.held }, exclude).filter(
        ({ version }) => name !== after?.name || version > after.version,
      )
      for (let from = 0; from < compared.length; from += stepSize) {
        const some = compared.slice(from, from + stepSize)
        const isLast = from + stepSize >= compared.length
        yield {
          through: { name, version: isLast ? afterLast : (some.at(-1)?.version ?? afterLast) },
          versions: some.filter(({ version }) => listed.held.has(version)).length,
          stored: some.filter(({ finding }) => finding === "stored").length,
          excluded: some.filter(({ finding }) => finding === "excluded").length,
          gaps: some.flatMap((version) => (version.finding === "gap" ? [version.gap] : [])),
        }
      }
      if (compared.length === 0) yield nothing(name)
    }
  } finally {
    await Promise.all([...records, ...gapRecords].map((cursor: NameCursor) => cursor.close()))
  }
}

function nothing(name: string): ScanStep {
  return { through: { name, version: afterLast }, versions: 0, stored: 0, excluded: 0, gaps: [] }
}

function firstName(candidates: readonly (string | undefined)[]): string | undefined {
  return candidates.filter((name) => name !== undefined).sort(byName)[0]
}

function versionOf({ object }: StoreEntryName): string {
  return object.version
}

function gapRecordsOf(entries: readonly StoreEntryName[]): NameContents["gapRecords"] {
  const found = new Map<string, { kind: ObjectKind; reasons: Set<GapReason> }>()
  for (const entry of entries) {
    if (entry.kind !== "gap") continue
    const { kind, version } = entry.object
    const known = found.get(version) ?? { kind, reasons: new Set() }
    known.reasons.add(entry.reason)
    found.set(version, known)
  }
  return found
}

type Listed = { readonly held: ReadonlyMap<string, HeldVersion> } | { readonly error: ServiceError }

async function list(
  name: string,
  kinds: ReadonlySet<ObjectKind>,
  { vault, pager }: ScanVaultOptions,
): Promise<Listed> {
  try {
    return { held: await listHeldVersions(vault, name, kinds, pager) }
  } catch (error) {
    return { error: toServiceError(error) }
  }
}

/** Gives the versions under each name in their order, and lists those of the next ones meanwhile. */
function listAhead(wanted: readonly string[], options: ScanVaultOptions): (at: number) => Promise<Listed> {
  const underway = new Map<number, Promise<Listed>>()
  return async (at) => {
    for (let next = at; next < Math.min(at + namesAhead, wanted.length); next++) {
      const name = wanted[next] ?? ""
      if (!underway.has(next)) underway.set(next, list(name, options.names.get(name) ?? allKinds, options))
    }
    const listed = await underway.get(at)
    underway.delete(at)
    return listed ?? { held: noVersions }
  }
}
