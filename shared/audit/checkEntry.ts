import { gapFormat } from "../record/gapRecord.ts"
import { recordFormat } from "../record/record.ts"
import type { BlobMetadata, LedgerEntry } from "../store/ledgerEntry.ts"
import type { ProblemCode } from "./problems.ts"
import type { StageTimes } from "./stages.ts"

/** How far clocks may be apart, and how long a PUT may take, before a time is not believed. */
const toleranceMs = 5 * 60_000

/** The service cuts its time of creation to whole seconds. */
const witnessPrecisionMs = 1000

/** No version is older than Key Vault itself, which was opened to the public in 2015. */
const firstMs = Date.UTC(2015, 0, 1)

const timeKeys = ["changedat", "eventat", "enqueuedat", "receivedat", "readat", "putat"] as const
const alwaysThere = ["receivedat", "putat", "origin", "attempt", "replays", "format", "sha256"] as const

/**
 * What is wrong with an entry of the ledger: then its figures are not used. `undefined` when nothing is.
 *
 * Every time must lie between 2015 and five minutes after the service's own clock; no stage may end more than five
 * minutes before it began; and the service must have witnessed the put within five minutes. What lies below that is
 * skew, which is shown and not refused.
 */
export function checkEntry(
  kind: "record" | "gap",
  metadata: BlobMetadata,
  entry: LedgerEntry | undefined,
  stageTimes: StageTimes | undefined,
  witnessedAt: Date,
): ProblemCode | undefined {
  if (!entry || !stageTimes || alwaysThere.some((key) => metadata[key] === undefined))
    return "metadata-missing"
  if (kind === "record" && (!entry.readAt || !(entry.eventAt ?? entry.changedAt))) return "metadata-missing"
  const times = [
    entry.changedAt,
    entry.eventAt,
    entry.enqueuedAt,
    entry.receivedAt,
    entry.readAt,
    entry.putAt,
  ]
  if (timeKeys.some((key, index) => (metadata[key] === undefined) !== (times[index] === undefined)))
    return "metadata-missing"
  if (entry.format !== (kind === "record" ? recordFormat : gapFormat)) return "format-unknown"
  const lastMs = witnessedAt.getTime() + witnessPrecisionMs + toleranceMs
  if (times.some((time) => time && (time.getTime() < firstMs || time.getTime() > lastMs)))
    return "time-absurd"
  if ((stageTimes.putToWitness ?? 0) > toleranceMs) return "time-absurd"
  const { putToWitness: _judged, ...ordered } = stageTimes
  return Object.values(ordered).some((ms) => ms !== undefined && ms < -toleranceMs)
    ? "time-absurd"
    : undefined
}
