import { createHash } from "node:crypto"
import { isExcluded } from "../change/allowList.ts"
import type { Change } from "../change/change.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import type { Clock } from "../clock.ts"
import { describeError, type ErrorCode, ServiceError, toServiceError } from "../errors.ts"
import { gapFormat, serializeGapRecord } from "../record/gapRecord.ts"
import { buildRecord, recordFormat, serializeRecord } from "../record/record.ts"
import type { Recipient } from "../record/recipients.ts"
import { sealedContentType, sealRecord } from "../record/sealRecord.ts"
import type { BackupStore } from "../store/backupStore.ts"
import { formatGapName, formatRecordName, type GapReason, sealNameOf } from "../store/blobName.ts"
import { formatLedgerEntry, type LedgerEntry, parseTime } from "../store/ledgerEntry.ts"
import { restoredTag } from "../vault/restoredTag.ts"
import type { VaultReader } from "../vault/vaultReader.ts"
import { type BackupObserver, unobserved } from "./backupObserver.ts"
import type { Outcome } from "./outcome.ts"
import { readVersion, type VersionReading } from "./readVersion.ts"

/** What one backup needs. */
export interface BackUpVersionDependencies {
  readonly vault: VaultReader
  readonly store: BackupStore
  /** Keys that records of a vault (`https://host[:port]`) are sealed to. */
  readonly recipientsOf: (vault: string) => Promise<readonly Recipient[]>
  readonly clock: Clock
  /** Patterns of names that are not backed up. */
  readonly exclude: readonly string[]
}

/** What is known of the message that brought the change. */
export interface Delivery {
  readonly enqueuedAt?: Date
  readonly receivedAt: Date
  /** Failed attempts before this one. */
  readonly failedAttempts: number
  readonly replays: number
}

/** How long to wait before asking again for a version that the vault says it does not have. */
const readAfterWriteDelayMs = 500

const gapReasonOf: Partial<Record<ErrorCode, GapReason>> = {
  ERR_VAULT_VERSION_DISABLED: "disabled",
  ERR_VAULT_VALUE_ABSENT: "value-absent",
  ERR_VAULT_VERSION_ABSENT: "gone",
}

/**
 * Backs up exactly the version that `change` names: one GET (two for a certificate), one seal, one PUT.
 *
 * Never throws: every failure is an outcome. Safe to repeat at any point; the store makes repetitions one.
 */
export async function backUpVersion(
  change: Change,
  delivery: Delivery,
  dependencies: BackUpVersionDependencies,
  observer: BackupObserver = unobserved,
): Promise<Outcome> {
  const { object } = change
  if (isExcluded(object.name, dependencies.exclude)) return { outcome: "skipped", reason: "excluded" }
  try {
    return await store(change, delivery, dependencies, observer)
  } catch (thrown) {
    const error = toServiceError(thrown)
    const { disposition } = describeError(error.code)
    if (disposition === "poison") return { outcome: "poison", error }
    const reason = gapReasonOf[error.code]
    if (!reason) return { outcome: "deferred", error }
    return recordGap(change, delivery, reason, error, dependencies, observer)
  }
}

async function store(
  change: Change,
  delivery: Delivery,
  dependencies: BackUpVersionDependencies,
  observer: BackupObserver,
): Promise<Outcome> {
  const { clock } = dependencies
  const reading = await observer.observe("read", () => readWithOneRetry(change, dependencies))
  const { object, secret, certificate } = reading
  if (secret.value === undefined) {
    const details = { object: formatVersionUrl(object) }
    throw new ServiceError("ERR_VAULT_VALUE_ABSENT", "The vault's answer has no value", { details })
  }
  const readAt = clock.now()
  const blob = formatRecordName(object)
  const recipients = await dependencies.recipientsOf(object.vault)
  const record = buildRecord(reading, change.event, secret.value.reveal(), readAt)
  const sealed = await observer.observe("seal", () =>
    sealRecord(serializeRecord(record), sealNameOf(blob), recipients),
  )
  const { attributes, tags } = certificate ?? secret
  const isPublicOnly = reading.privateKey === "absentByPolicy"
  const origin = change.origin === "live" && restoredTag in tags ? "restore" : change.origin
  const entry: LedgerEntry = {
    ...ledgerEntryOf({ ...change, origin }, delivery, sealed, clock.now()),
    ...(attributes.created ? { changedAt: attributes.created } : {}),
    readAt,
    kids: recipients.map(({ kid }) => kid),
    format: recordFormat,
    ...(isPublicOnly ? { isPublicOnly } : {}),
  }
  const metadata = formatLedgerEntry(entry)
  const outcome = await observer.observe("put", () =>
    dependencies.store.putIfAbsent(blob, sealed, sealedContentType, metadata),
  )
  observer.put(entry, outcome)
  return { outcome, blob, ...(isPublicOnly ? { privateKey: "absentByPolicy" } : {}) }
}

async function readWithOneRetry(
  { object }: Change,
  { vault, clock }: BackUpVersionDependencies,
): Promise<VersionReading> {
  try {
    return await readVersion(object, vault)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== "ERR_VAULT_VERSION_ABSENT") throw error
    await clock.sleep(readAfterWriteDelayMs)
    return readVersion(object, vault)
  }
}

async function recordGap(
  change: Change,
  delivery: Delivery,
  reason: GapReason,
  error: ServiceError,
  { clock, store }: BackUpVersionDependencies,
  observer: BackupObserver,
): Promise<Outcome> {
  const triedAt = clock.now()
  const blob = formatGapName(change.object, reason)
  const body = serializeGapRecord(change, reason, error.code, triedAt)
  const entry: LedgerEntry = {
    ...ledgerEntryOf(change, delivery, body, triedAt),
    kids: [],
    format: gapFormat,
    code: error.code,
  }
  try {
    await observer.observe("put", () =>
      store.putIfAbsent(blob, body, "application/json", formatLedgerEntry(entry)),
    )
  } catch (thrown) {
    return { outcome: "deferred", error: toServiceError(thrown) }
  }
  return { outcome: reason === "gone" ? "gone" : "unreadable", blob, error }
}

function ledgerEntryOf(change: Change, delivery: Delivery, body: Uint8Array, putAt: Date) {
  const eventAt = parseTime(change.event?.time)
  const eventId = change.event?.id
  return {
    ...(eventAt ? { eventAt } : {}),
    ...(delivery.enqueuedAt ? { enqueuedAt: delivery.enqueuedAt } : {}),
    receivedAt: delivery.receivedAt,
    putAt,
    origin: change.origin,
    attempt: 1 + delivery.failedAttempts,
    replays: delivery.replays,
    ...(eventId === undefined ? {} : { eventId }),
    sha256: createHash("sha256").update(body).digest("hex"),
  }
}
