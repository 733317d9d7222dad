import type { AuditReport } from "../../shared/audit/auditReport.ts"
import { type AuditQuery, readAudit, type ReadAuditOptions } from "../../shared/audit/readAudit.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { createMemoryChangeQueue, createMemoryQueueInspector } from "../../shared/queue/memoryChangeQueue.ts"
import { formatGapName, formatRecordName, type GapReason } from "../../shared/store/blobName.ts"
import { type BlobMetadata, formatLedgerEntry, type LedgerEntry } from "../../shared/store/ledgerEntry.ts"
import type { StoredBlob } from "../../shared/store/storeCatalog.ts"
import { aChange, anObject, vault } from "./builders.ts"

/** The day of every test ledger. */
export const day = "2026-03-01"

/** A moment of that day, such as `10:00:00.250`. */
export const at = (time: string) => new Date(`${day}T${time}Z`)

/** Noon, at which test ledgers are read. */
export const noon = at("12:00:00")

/** A sound entry that is put at `putAt`, two seconds after its event unless that is given. */
export function anEntry(putAt: Date, more: Partial<LedgerEntry> = {}): LedgerEntry {
  const before = (ms: number) => new Date(putAt.getTime() - ms)
  const eventAt = more.eventAt ?? before(2000)
  return {
    changedAt: new Date(Math.floor(eventAt.getTime() / 1000) * 1000),
    eventAt,
    enqueuedAt: before(1500),
    receivedAt: before(1200),
    readAt: before(100),
    putAt,
    origin: "live",
    attempt: 1,
    replays: 0,
    kids: ["recovery"],
    format: "keyvault-backup/1",
    sha256: "ab".repeat(32),
    ...more,
  }
}

/** A ledger and queues in memory, and the audit of both. */
export function aLedger() {
  const blobs: StoredBlob[] = []
  const changes = createMemoryChangeQueue(() => at("11:59:30"))
  const quarantine = createMemoryChangeQueue(() => at("11:59:30"))
  const secondOf = (time: Date) => new Date(Math.floor(time.getTime() / 1000) * 1000)
  const put = (name: string, metadata: BlobMetadata, createdAt: Date) => {
    blobs.push({ name, metadata, createdAt: secondOf(createdAt), sizeBytes: 1000 })
    blobs.sort((one, other) => (one.name < other.name ? -1 : 1))
  }
  let sent = 0
  return {
    blobs,
    changes,
    quarantine,
    put,
    record: (version: number, putAt: Date, more: Partial<LedgerEntry> = {}, of = {}) =>
      put(formatRecordName(anObject({ version, ...of })), formatLedgerEntry(anEntry(putAt, more)), putAt),
    gap: (version: number, reason: GapReason, eventAt: Date, of = {}, more: Partial<LedgerEntry> = {}) => {
      const { changedAt: _changed, readAt: _read, ...entry } = anEntry(new Date(eventAt.getTime() + 2000))
      put(
        formatGapName(anObject({ version, ...of }), reason),
        formatLedgerEntry({
          ...entry,
          kids: [],
          format: "keyvault-gap/1",
          code: "ERR_VAULT_VERSION_DISABLED",
          ...more,
        }),
        entry.putAt,
      )
    },
    send: async (version: number, time?: string, properties = {}, queue = changes) => {
      const messageId = `m${sent++}`
      const event = time === undefined ? {} : { time: `${day}T${time}Z` }
      const body = formatChangeMessage(aChange({ object: anObject({ version }), event }))
      await queue.send({ body, messageId, properties })
      return messageId
    },
    /** The audit of the day until noon; `query` and `more` take the place of what stands there. */
    read: (query: Partial<AuditQuery> = {}, more: Partial<ReadAuditOptions> = {}): Promise<AuditReport> =>
      readAudit({
        query: {
          until: noon,
          isClosed: false,
          objective: { percentile: 99, limitMs: 60_000 },
          vaults: [vault],
          ...query,
        },
        store: { list: (prefix) => listOf(blobs, prefix) },
        queues: {
          inspector: createMemoryQueueInspector({ changes, quarantine }),
          queue: "changes",
          quarantineQueue: "quarantine",
          allowList: createAllowList([vault]),
        },
        hasCanary: false,
        ...more,
      }),
  }
}

async function* listOf(blobs: readonly StoredBlob[], prefix: string) {
  yield* blobs.filter(({ name }) => name.startsWith(prefix))
}
