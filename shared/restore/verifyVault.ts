import type { Clock } from "../clock.ts"
import { readVersion } from "../backup/readVersion.ts"
import { isExcluded } from "../change/allowList.ts"
import { formatVersionUrl, type ObjectKind, type ObjectVersion } from "../change/objectVersion.ts"
import { type ErrorCode, toServiceError } from "../errors.ts"
import { type BackupRecord, parseRecord } from "../record/record.ts"
import { type OpeningKey, unsealRecord } from "../record/unsealRecord.ts"
import {
  formatRecordName,
  gapPrefixOfVault,
  type GapReason,
  parseStoreEntryName,
  recordPrefixOfVault,
} from "../store/blobName.ts"
import { parseLedgerEntry } from "../store/ledgerEntry.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import type { ListedVersion, VaultCatalog } from "../vault/vaultCatalog.ts"
import type { VaultReader } from "../vault/vaultReader.ts"
import { chainOf, isSame } from "./compareRecord.ts"
import { inParallel } from "./inParallel.ts"

/**
 * What verification says of one version. `protected`: a record is stored (deep: it opens, and its value equals the
 * vault's). `onlyInStore`: stored, and the vault no longer lists it. `gap`: a gap record says why not. `missing`:
 * neither. `differs`: the record opens and its value is another. `broken`: the record does not open, or its ledger
 * entry has no digest. `inFlight`: too young to be missed. `excluded`: not stored, and its name is excluded.
 * `publicOnly`: stored, but the certificate's policy keeps its private key in the vault. `unknown`: could not be told.
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
  | "publicOnly"
  | "unknown"

export interface VerifiedVersion {
  readonly id: string
  readonly finding: Finding
  readonly blob?: string
  readonly reason?: GapReason
  readonly code?: ErrorCode
  /** Deep, of a certificate's record: does it hold every issuer up to one that signed itself? */
  readonly chain?: "complete" | "incomplete"
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
  /** Only what this selects. */
  readonly only?: ObjectSelection
  /** Present: every record is read, opened and compared with the vault. */
  readonly deep?: {
    readonly vaultReader: VaultReader
    readonly storeReader: StoreReader
    readonly keys: readonly OpeningKey[]
    /** Records opened at once. */
    readonly concurrency: number
  }
}

/** One object, or one version of it. A secret's name also selects the certificate that it stands behind. */
export interface ObjectSelection {
  /** As the vault folds it. */
  readonly name: string
  readonly kind: ObjectKind
  readonly version?: string
}

function isSelected({ name, kind, version }: ObjectVersion, only: ObjectSelection | undefined): boolean {
  if (only === undefined) return true
  if (only.name !== name || (only.version !== undefined && only.version !== version)) return false
  return only.kind === "secret" || kind === "certificate"
}

interface StoredRecord {
  readonly object: ObjectVersion
  readonly sha256: string | undefined
  readonly isPublicOnly: boolean
}

interface StoredEntries {
  readonly records: ReadonlyMap<string, StoredRecord>
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
  const listed = await listVault(options)
  let stored = await listStore(options)
  if ([...listed.values()].some(({ object }) => !isKnown(object, stored))) stored = await listStore(options)
  const work: (() => Promise<VerifiedVersion>)[] = []
  for (const version of listed.values()) work.push(() => verifyVersion(version, stored, options))
  for (const [blob, { object }] of stored.records) {
    if (!listed.has(blob)) work.push(() => verifyOrphan(object, blob, stored, options))
  }
  return inParallel(work, options.deep?.concurrency ?? 1)
}

/** Versions by the name of their record. The secret behind a certificate counts as the certificate. */
async function listVault({
  vaultCatalog,
  vault,
  only,
}: VerifyVaultOptions): Promise<Map<string, ListedVersion>> {
  const listed = new Map<string, ListedVersion>()
  for await (const version of vaultCatalog.listSecretVersions(vault)) {
    const object = version.managed ? { ...version.object, kind: "certificate" as const } : version.object
    if (isSelected(object, only)) listed.set(formatRecordName(object), { ...version, object })
  }
  for await (const version of vaultCatalog.listCertificateVersions(vault)) {
    if (isSelected(version.object, only)) listed.set(formatRecordName(version.object), version)
  }
  return listed
}

async function listStore({ storeCatalog, vault, only }: VerifyVaultOptions): Promise<StoredEntries> {
  const host = new URL(vault).host
  const records = new Map<string, StoredRecord>()
  const gaps = new Map<string, GapReason>()
  for (const prefix of [recordPrefixOfVault(host), gapPrefixOfVault(host)]) {
    for await (const blob of storeCatalog.list(prefix)) {
      const entry = parseStoreEntryName(blob.name)
      if (entry?.kind === "gap") gaps.set(versionKey(entry.object), entry.reason)
      if (entry?.kind !== "record" || !isSelected(entry.object, only)) continue
      const isPublicOnly = parseLedgerEntry(blob.metadata)?.isPublicOnly === true
      records.set(blob.name, { object: entry.object, sha256: blob.metadata["sha256"], isPublicOnly })
    }
  }
  return { records, gaps }
}

function isKnown(object: ObjectVersion, { records, gaps }: StoredEntries): boolean {
  return records.has(formatRecordName(object)) || gaps.has(versionKey(object))
}

/** A gap may stand under the secret of a certificate: they share name and version. */
function versionKey({ name, version }: ObjectVersion): string {
  return `${name}/${version}`
}

async function verifyVersion(
  { object, attributes }: ListedVersion,
  stored: StoredEntries,
  options: VerifyVaultOptions,
): Promise<VerifiedVersion> {
  const id = formatVersionUrl(object)
  const blob = formatRecordName(object)
  const record = stored.records.get(blob)
  if (record) {
    const found = options.deep ? await compare(object, blob, record.sha256, options.deep) : undefined
    if (found && found.finding !== "protected") return found
    return { id, blob, ...found, finding: record.isPublicOnly ? "publicOnly" : "protected" }
  }
  if (isExcluded(object.name, options.exclude)) return { id, finding: "excluded" }
  const reason = stored.gaps.get(versionKey(object))
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
  return "record" in opened ? { id, finding: "onlyInStore", blob } : opened
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
  if (!("record" in opened)) return opened
  try {
    const reading = await readVersion(object, deep.vaultReader)
    if (!isSame(opened.record, reading)) return { id, blob, finding: "differs" }
    const chain = chainOf(opened.record)
    return { id, blob, finding: "protected", ...(chain ? { chain } : {}) }
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
): Promise<{ readonly record: BackupRecord } | VerifiedVersion> {
  const id = formatVersionUrl(object)
  // This product writes none without: whoever could take the digest away, or put the blob there, proves nothing.
  if (sha256 === undefined) return { id, blob, finding: "broken", code: "ERR_SEAL_INTEGRITY" }
  try {
    const record = parseRecord(await unsealRecord(await deep.storeReader.read(blob), blob, deep.keys, sha256))
    if (record.object.id !== id) return { id, blob, finding: "broken", code: "ERR_SEAL_INTEGRITY" }
    return { record }
  } catch (thrown) {
    const { code } = toServiceError(thrown)
    return { id, blob, finding: code === "ERR_SEAL_INTEGRITY" ? "broken" : "unknown", code }
  }
}
