import type { AuditReport } from "../../shared/audit/auditReport.ts"
import { readAudit } from "../../shared/audit/readAudit.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import type { Origin } from "../../shared/change/change.ts"
import { collectionOf, type ObjectVersion } from "../../shared/change/objectVersion.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { PeekedMessage } from "../../shared/queue/queueInspector.ts"
import { formatGapName, formatRecordName, type GapReason } from "../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import type { StoredBlob } from "../../shared/store/storeCatalog.ts"
import { anObject } from "./builders.ts"

/** The end of every sample: the moment at which its report is made. */
export const sampleUntil = new Date("2026-03-02T12:00:00.000Z")

/** Milliseconds from the event on: to the queue, the function, the read and the put. */
export type Steps = readonly [number, number, number, number]

/** A record whose event was `agoMs` before the end. */
export function aRecordBlob(
  object: ObjectVersion,
  agoMs: number,
  [queue, received, read, put]: Steps,
  more: { readonly origin?: Origin; readonly attempt?: number; readonly replays?: number } = {},
): StoredBlob {
  const event = sampleUntil.getTime() - agoMs
  const at = (ms: number) => new Date(event + ms)
  const putAt = at(queue + received + read + put)
  const { version } = object
  return {
    name: formatRecordName(object),
    createdAt: new Date(Math.floor((putAt.getTime() + 12) / 1000) * 1000),
    sizeBytes: 1480,
    metadata: formatLedgerEntry({
      changedAt: new Date(Math.floor((event - 40) / 1000) * 1000),
      eventAt: at(0),
      enqueuedAt: at(queue),
      receivedAt: at(queue + received),
      readAt: at(queue + received + read),
      putAt,
      origin: more.origin ?? "live",
      attempt: more.attempt ?? 1,
      replays: more.replays ?? 0,
      eventId: `event-${version.slice(-8)}`,
      kids: [`https://recovery.vault.azure.net/keys/backup/${"c0ffee".repeat(5)}00`, "break-glass-2026"],
      format: "keyvault-backup/1",
      sha256: version.repeat(2),
    }),
  }
}

/** A gap record of a version whose event was `agoMs` before the end. */
export function aGapBlob(object: ObjectVersion, agoMs: number, reason: GapReason, code: string): StoredBlob {
  const event = sampleUntil.getTime() - agoMs
  return {
    name: formatGapName(object, reason),
    createdAt: new Date(Math.ceil((event + 500) / 1000) * 1000),
    sizeBytes: 420,
    metadata: formatLedgerEntry({
      changedAt: new Date(event - 300),
      eventAt: new Date(event),
      enqueuedAt: new Date(event + 120),
      receivedAt: new Date(event + 180),
      putAt: new Date(event + 400),
      origin: "live",
      attempt: 1,
      replays: 0,
      kids: [],
      format: "keyvault-gap/1",
      sha256: object.version.repeat(2),
      code,
    }),
  }
}

/** A message about a change `agoMs` before the end; `code` is why it is not through. */
export function aQueuedMessage(
  object: ObjectVersion,
  agoMs: number,
  code?: string,
  isScheduled = false,
): PeekedMessage {
  const enqueuedAt = new Date(sampleUntil.getTime() - agoMs)
  const id = `${object.vault}/${collectionOf(object.kind)}/${object.name}/${object.version}`
  return {
    state: isScheduled ? "scheduled" : "active",
    enqueuedAt,
    ...(isScheduled ? { scheduledAt: new Date(sampleUntil.getTime() + 240_000) } : {}),
    body: {
      change: { format: "keyvault-change/1", id, origin: "live", eventTime: enqueuedAt.toISOString() },
    },
    properties: {
      "kvb-first-enqueued": enqueuedAt.toISOString(),
      ...(isScheduled ? { "kvb-attempt": "3", "kvb-retry-since": enqueuedAt.toISOString() } : {}),
      ...(code === undefined ? {} : { "kvb-last-code": code }),
    },
  }
}

/** What a sample is made of. */
export interface Sample {
  readonly blobs: readonly StoredBlob[]
  readonly waiting?: readonly PeekedMessage[]
  readonly deadLetters?: readonly PeekedMessage[]
  readonly quarantine?: readonly PeekedMessage[]
  readonly hasCanary?: boolean
  readonly vaults?: readonly string[]
  /** The listing fails after so many blobs. */
  readonly breaksAfter?: number
}

/** The report that the product makes of a sample. */
export async function reportOf(sample: Sample): Promise<AuditReport> {
  const vaults = sample.vaults ?? [anObject().vault]
  const blobs = [...sample.blobs].sort((a, b) => (a.name < b.name ? -1 : 1))
  return readAudit({
    query: {
      since: new Date(sampleUntil.getTime() - 24 * 3_600_000),
      until: sampleUntil,
      isClosed: false,
      objective: { percentile: 99, limitMs: 60_000 },
      vaults,
    },
    hasCanary: sample.hasCanary ?? false,
    store: {
      async *list(prefix) {
        let count = 0
        for (const blob of blobs) {
          if (!blob.name.startsWith(prefix)) continue
          if (count === sample.breaksAfter)
            throw new ServiceError("ERR_STORE_UNAVAILABLE", "The listing ended early")
          count += 1
          yield blob
        }
      },
    },
    queues: {
      queue: "keyvault-changes",
      quarantineQueue: "keyvault-changes-quarantine",
      allowList: createAllowList(vaults),
      inspector: {
        peek: async (queue, store) => {
          const isLive = store === "queue"
          const messages = queue.endsWith("quarantine")
            ? isLive && sample.quarantine
            : isLive
              ? sample.waiting
              : sample.deadLetters
          return { messages: messages || [], complete: true }
        },
      },
    },
  })
}

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const names = ["db-password", "api-key-payments", "smtp-relay", "signing-key", "oauth-client-secret", "redis"]

/** `count` records over a day, quick ones with a few slower ones between them. */
export function ordinaryRecords(count: number, seed = 7): StoredBlob[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, index) => {
    const slow = random() < 0.02 ? 20 : 1
    const step = (ms: number) => Math.round(ms * (0.4 + random() * random() * 3) * slow)
    const object = anObject({
      version: index + 1,
      name: `${names[index % names.length]}${index % 3 === 0 ? "" : `-${index % 17}`}`,
      kind: index % 9 === 0 ? "certificate" : "secret",
    })
    const ago = Math.round(random() * 23.5 * 3_600_000) + 60_000
    return aRecordBlob(object, ago, [step(240), step(90), step(60), step(15)])
  })
}
