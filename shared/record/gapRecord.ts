import { z } from "zod"
import type { Change } from "../change/change.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import type { ErrorCode } from "../errors.ts"
import { type GapReason, gapReasons } from "../store/blobName.ts"

/** Format name of gap records. Described in `docs/formats.md`. */
export const gapFormat = "keyvault-gap/1"

/** What a gap record is, also for `docs/schemas/gapRecord.json`. */
export const gapRecordSchema = z.object({
  format: z.literal(gapFormat),
  id: z.string(),
  reason: z.enum(gapReasons),
  code: z.string().regex(/^ERR_[A-Z_]+$/),
  eventTime: z.string().optional(),
  triedAt: z.iso.datetime({ precision: 3 }),
})

/**
 * Says that a version exists whose value could not be had, and why. It is stored in the clear, so it holds ids,
 * a code and times: no attributes, no tags.
 */
export type GapRecord = z.infer<typeof gapRecordSchema>

/** The gap record of `change` as bytes. */
export function serializeGapRecord(
  change: Change,
  reason: GapReason,
  code: ErrorCode,
  triedAt: Date,
): Uint8Array {
  const eventTime = change.event?.time
  const record: GapRecord = {
    format: gapFormat,
    id: formatVersionUrl(change.object),
    reason,
    code,
    ...(eventTime === undefined ? {} : { eventTime }),
    triedAt: triedAt.toISOString(),
  }
  return Buffer.from(JSON.stringify(record), "utf8")
}
