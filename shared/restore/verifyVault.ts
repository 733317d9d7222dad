import type { Clock } from "../clock.ts"
import { isExcluded } from "../change/allowList.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import { type ErrorCode, toServiceError } from "../errors.ts"
import { parseRecord } from "../record/record.ts"
import { type OpeningKey, unsealRecord } from "../record/unsealRecord.ts"
import {
  formatRecordName,
  gapPrefixOfVault,
  type GapReason,
  parseStoreEntryName,
  recordPrefixOfVault,
} from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import type { ListedVersion, VaultCatalog } from "../vault/vaultCatalog.ts"
import type { VaultReader } from "../vault/vaultReader.ts"

/**
 * What verification says of one version. `protected`: a record is stored (deep: it opens, and its value equals the
 * vault's). `onlyInStore`: stored, and the vault no longer lists it. `gap`: a gap record says why not. `missing`:
 * neither. `differs`: the record opens and its value is another. `broken`: the record does not open. `inFlight`: too
 * young to be missed. `excluded`: not stored, and its name is excluded. `unsupported`: belongs to a certificate,
 * which this release does not back up. `unknown`: could not be told.
 */
export type Finding =
  | "protected"
  | "onlyInStore"
  | "gap"
  | "missing"
  | "differs"
  | "broken"
  | "inFlight"
  | "excluded"
  | "unsupported"
  | "unknown"

export interface VerifiedVersion {
  readonly id: string
  readonly finding: Finding
  readonly blob?: string
  readonly reason?: GapReason
  readonly code?: ErrorCode
}

export interface VerifyVaultOptions {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly vaultCatalog: VaultCatalog
  readonly storeCatalog: StoreCatalog
  readonly clock: Clock
  /** A version younger than this may still be on its way. In milliseconds. */
  readonly graceMs: number
  /** Patterns of names that are not backed up. */
  readonly exclude: readonly string[]
  /** Only this object (`name` as the vault folds it). */
  readonly name?: string
  /** Present: every record is read, opened and compared with the vault. */
  readonly deep?: {
    readonly vaultReader: VaultReader
    readonly storeReader: StoreReader
    readonly keys: readonly OpeningKey[]
    /** Records opened at once. */
    readonly concurrency: number
  }
}

interface StoredEntries {
  readonly records: ReadonlyMap<
    string,
    { readonly object: ObjectVersion; readonly sha256: string | undefined }
  >
  readonly gaps: ReadonlyMap<string, GapReason>
}

/**
 * Compares one vault with the store: does every version have a record, and does each record open to what the vault
 * holds? Reads only; safe to repeat.
 *
 * The vault is listed before the store, so that a version backed up in between is found. A version that is missing
 * is looked for once more at the end.
 *
 * @throws ServiceError when a listing fails: an incomplete scan proves nothing.
 */
export async function verifyVault(options: VerifyVaultOptions): Promise<VerifiedVersion[]> {
  const listed: ListedVersion[] = []
  for await (const version of options.vaultCatalog.listSecretVersions(options.vault)) {
    if (options.name === undefined || version.object.name === options.name) listed.push(version)
  }
  let stored = await listStore(options)
  if (listed.some(({ object }) => !isKnown(object, stored))) stored = await listStore(options)
  const seen = new Set<string>()
  const work: (() => Promise<VerifiedVersion>)[] = []
  for (const version of listed) {
    seen.add(formatRecordName(version.object))
    work.push(() => verifyVersion(version, stored, options))
  }
  for (const [blob, { object }] of stored.records) {
    if (!seen.has(blob)) work.push(() => verifyOrphan(object, blob, stored, options))
  }
  return inParallel(work, options.deep?.concurrency ?? 1)
}

async function listStore({ storeCatalog, vault, name }: VerifyVaultOptions): Promise<StoredEntries> {
  const host = new URL(vault).host
  const records = new Map<string, { object: ObjectVersion; sha256: string | undefined }>()
  const gaps = new Map<string, GapReason>()
  for (const prefix of [recordPrefixOfVault(host), gapPrefixOfVault(host)]) {
    for await (const blob of storeCatalog.list(prefix)) {
      const entry = parseStoreEntryName(blob.name)
      if (!entry || (name !== undefined && entry.object.name !== name)) continue
      if (entry.kind === "gap") gaps.set(formatRecordName(entry.object), entry.reason)
      else records.set(blob.name, { object: entry.object, sha256: blob.metadata["sha256"] })
    }
  }
  return { records, gaps }
}

function isKnown(object: ObjectVersion, { records, gaps }: StoredEntries): boolean {
  const blob = formatRecordName(object)
  return records.has(blob) || gaps.has(blob)
}

async function verifyVersion(
  { object, attributes, managed }: ListedVersion,
  stored: StoredEntries,
  options: VerifyVaultOptions,
): Promise<VerifiedVersion> {
  const id = formatVersionUrl(object)
  const blob = formatRecordName(object)
  const record = stored.records.get(blob)
  if (record)
    return options.deep
      ? compare(object, blob, record.sha256, options.deep)
      : { id, finding: "protected", blob }
  if (isExcluded(object.name, options.exclude)) return { id, finding: "excluded" }
  if (managed) return { id, finding: "unsupported" }
  const reason = stored.gaps.get(blob)
  if (reason) return { id, finding: "gap", reason }
  const ageMs = options.clock.now().getTime() - (attributes.created?.getTime() ?? 0)
  return { id, finding: ageMs < options.graceMs ? "inFlight" : "missing" }
}

async function verifyOrphan(
  object: ObjectVersion,
  blob: string,
  stored: StoredEntries,
  { deep }: VerifyVaultOptions,
): Promise<VerifiedVersion> {
  const id = formatVersionUrl(object)
  if (!deep) return { id, finding: "onlyInStore", blob }
  const opened = await open(object, blob, stored.records.get(blob)?.sha256, deep)
  return "value" in opened ? { id, finding: "onlyInStore", blob } : opened
}

type Deep = NonNullable<VerifyVaultOptions["deep"]>

async function compare(
  object: ObjectVersion,
  blob: string,
  sha256: string | undefined,
  deep: Deep,
): Promise<VerifiedVersion> {
  const id = formatVersionUrl(object)
  const opened = await open(object, blob, sha256, deep)
  if (!("value" in opened)) return opened
  try {
    const reading = await deep.vaultReader.readSecret(object)
    return { id, blob, finding: reading.value?.reveal() === opened.value ? "protected" : "differs" }
  } catch (thrown) {
    const { code } = toServiceError(thrown)
    // A version that was disabled after its backup cannot be compared; its record opened, and values never change.
    if (code === "ERR_VAULT_VERSION_DISABLED") return { id, blob, finding: "protected", code }
    if (code === "ERR_VAULT_VERSION_ABSENT") return { id, blob, finding: "onlyInStore" }
    return { id, blob, finding: "unknown", code }
  }
}

async function open(
  object: ObjectVersion,
  blob: string,
  sha256: string | undefined,
  deep: Deep,
): Promise<{ readonly value: string } | VerifiedVersion> {
  const id = formatVersionUrl(object)
  try {
    const record = parseRecord(await unsealRecord(await deep.storeReader.read(blob), blob, deep.keys, sha256))
    if (record.object.id !== id) return { id, blob, finding: "broken", code: "ERR_SEAL_INTEGRITY" }
    return { value: record.value }
  } catch (thrown) {
    const { code } = toServiceError(thrown)
    return { id, blob, finding: code === "ERR_SEAL_INTEGRITY" ? "broken" : "unknown", code }
  }
}

async function inParallel<T>(work: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = Array.from({ length: work.length })
  let next = 0
  const lane = async () => {
    for (let index = next++; index < work.length; index = next++) {
      const job = work[index]
      if (job) results[index] = await job()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, lane))
  return results
}
