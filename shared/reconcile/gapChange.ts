import { createHash } from "node:crypto"
import type { Change } from "../change/change.ts"
import { formatChangeMessage } from "../change/changeMessage.ts"
import type { MessageCopy } from "../deadLetter/messageCopy.ts"
import { formatLineage } from "../queue/messageLineage.ts"
import { gapFormat, serializeGapRecord } from "../record/gapRecord.ts"
import { formatGapName } from "../store/blobName.ts"
import { type BlobMetadata, formatLedgerEntry } from "../store/ledgerEntry.ts"
import type { Gap } from "./gap.ts"

function changeOf({ object }: Gap): Change {
  return { object, origin: "reconcile" }
}

/** The message that has the version of a gap backed up. */
export function messageOfGap(gap: Gap, messageId: string): MessageCopy {
  return {
    queue: "changes",
    messageId,
    body: Buffer.from(formatChangeMessage(changeOf(gap))),
    envelope: {
      bodyType: "data",
      contentType: "application/json",
      properties: formatLineage({ origin: "reconcile", attempt: 0, replays: 0 }),
    },
  }
}

/** The gap record of a version that was found disabled: its name, bytes and metadata. */
export function recordOfGap(
  gap: Gap,
  at: Date,
): { readonly name: string; readonly body: Uint8Array; readonly metadata: BlobMetadata } {
  const code = "ERR_VAULT_VERSION_DISABLED"
  const body = serializeGapRecord(changeOf(gap), "disabled", code, at)
  const metadata = formatLedgerEntry({
    ...(gap.created ? { changedAt: gap.created } : {}),
    putAt: at,
    origin: "reconcile",
    attempt: 1,
    replays: 0,
    kids: [],
    format: gapFormat,
    sha256: createHash("sha256").update(body).digest("hex"),
    code,
  })
  return { name: formatGapName(gap.object, "disabled"), body, metadata }
}
