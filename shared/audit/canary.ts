import { type ObjectVersion, parseVersionUrl } from "../change/objectVersion.ts"
import { parseStoreEntryName, recordPrefixOfVault } from "../store/blobName.ts"
import { type LedgerEntry, parseLedgerEntry } from "../store/ledgerEntry.ts"
import type { StoredBlob } from "../store/storeCatalog.ts"

/** How often `functions/sendCanary` sets a new version. */
export const canaryPeriodMs = 30 * 60_000

/**
 * A canary older than this says that changes do not get through: two periods, and ten minutes for a version that is
 * still on its way.
 */
export const canaryAgeLimitMs = 2 * canaryPeriodMs + 10 * 60_000

/** The newest version of the canary that made the whole way. */
export interface CanaryProof {
  readonly object: ObjectVersion
  /** When it was set; the service's own time of the blob where the vault told none. */
  readonly changedAt: Date
}

/**
 * Does this ledger entry prove that live changes get through? Only one of origin `canary` does: what reconcile or replay
 * brought was lost on the way of live changes.
 */
export function isCanaryProof(entry: Pick<LedgerEntry, "origin">): boolean {
  return entry.origin === "canary"
}

/** The prefix of the canary's records. @param secretUrl - `https://host/secrets/name`, as settings hold it. */
export function canaryPrefix(secretUrl: string): string {
  const { host, name } = canaryObject(secretUrl)
  return `${recordPrefixOfVault(host)}secrets/${name}/`
}

/** Host and name of the canary's secret. @throws TypeError for a URL that settings would not have let through. */
export function canaryObject(secretUrl: string): Pick<ObjectVersion, "vault" | "host" | "name"> {
  const parsed = parseVersionUrl(`${secretUrl}/${"0".repeat(32)}`)
  if (!("object" in parsed)) throw new TypeError("Not the URL of a secret")
  return parsed.object
}

/**
 * The newer of a proof and what a blob proves: the step of a fold over a listing in any order.
 *
 * @param blob - one below the canary's prefix; another proves nothing.
 */
export function newerProof(known: CanaryProof | undefined, blob: StoredBlob): CanaryProof | undefined {
  const name = parseStoreEntryName(blob.name)
  const entry = parseLedgerEntry(blob.metadata)
  if (name?.kind !== "record" || !entry || !isCanaryProof(entry)) return known
  const changedAt = entry.changedAt ?? blob.createdAt
  return known && known.changedAt >= changedAt ? known : { object: name.object, changedAt }
}

/** How long ago the change was made that proves it, in milliseconds; a clock that is behind counts as none. */
export function canaryAge({ changedAt }: CanaryProof, now: Date): number {
  return Math.max(0, now.getTime() - changedAt.getTime())
}
