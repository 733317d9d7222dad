import type { AllowList } from "../change/allowList.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import { parseLineage } from "../queue/messageLineage.ts"
import type { QueueInspector } from "../queue/queueInspector.ts"
import {
  gapPrefixOfVault,
  type GapReason,
  parseStoreEntryName,
  recordPrefixOfVault,
} from "../store/blobName.ts"
import { parseLedgerEntry } from "../store/ledgerEntry.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { type CauseStatus, countCauses, earlier } from "./causes.ts"
import { type PendingChange, pendingChanges } from "./pendingChanges.ts"

/** How many messages of one queue are looked at; beyond it only "more than" can be said. */
export const peekLimit = 10_000

export interface OpenGap {
  readonly id: string
  readonly reason: GapReason
  readonly code?: string
  readonly since?: Date
}

/** What is protected of one vault, since when, and what is not. */
export interface VaultStatus {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly records: number
  readonly firstPutAt?: Date
  readonly lastPutAt?: Date
  readonly openGaps: readonly OpenGap[]
  /** Versions of certificates whose policy keeps the private key in the vault: stored, and never fully protected. */
  readonly publicOnly: readonly string[]
  /** The newest moment before which every known change is stored. */
  readonly protectedUpTo: Date
}

/** Messages by where they are. A change that is stored already is counted, and holds nothing up. */
export interface QueueStatus {
  readonly waiting: number
  readonly deferred: number
  readonly deadLettered: number
  readonly quarantined: number
  /** Each of the three by the last error code they carry; those without one by the broker's reason. */
  readonly deferredBy: readonly CauseStatus[]
  readonly deadLetteredBy: readonly CauseStatus[]
  readonly quarantinedBy: readonly CauseStatus[]
  /** False when a queue has more messages than were looked at. */
  readonly complete: boolean
}

export interface ProtectionStatus {
  readonly at: Date
  readonly vaults: readonly VaultStatus[]
  readonly queues: QueueStatus
}

export interface ProtectionStatusOptions {
  readonly vaults: readonly string[]
  readonly store: StoreCatalog
  readonly queues: QueueInspector
  readonly queue: string
  readonly quarantineQueue: string
  readonly allowList: AllowList
  readonly now: Date
}

/**
 * Reads what is protected from the store's listing and the queues. Reads only; safe to repeat.
 *
 * The queues are looked at first: a change that is stored in between is then found stored, never lost from sight.
 *
 * @throws ServiceError when the store or a queue cannot be read; then nothing can be told.
 */
export async function readProtectionStatus(options: ProtectionStatusOptions): Promise<ProtectionStatus> {
  const live = await options.queues.peek(options.queue, "queue", peekLimit)
  const dead = await options.queues.peek(options.queue, "deadLetter", peekLimit)
  const held = await options.queues.peek(options.quarantineQueue, "queue", peekLimit)
  // Messages that were taken from quarantine too often without being settled.
  const heldDead = await options.queues.peek(options.quarantineQueue, "deadLetter", peekLimit)
  const quarantined = [...held.messages, ...heldDead.messages]
  const all = [...live.messages, ...dead.messages, ...quarantined]
  const pending = all.flatMap((message) => pendingChanges(message, options.allowList))
  const deferred = live.messages.filter(({ properties }) => parseLineage(properties).attempt > 0)
  const vaults: VaultStatus[] = []
  for (const vault of options.vaults) vaults.push(await readVault(vault, pending, options))
  return {
    at: options.now,
    vaults,
    queues: {
      waiting: live.messages.length - deferred.length,
      deferred: deferred.length,
      deadLettered: dead.messages.length,
      quarantined: quarantined.length,
      deferredBy: countCauses(deferred),
      deadLetteredBy: countCauses(dead.messages),
      quarantinedBy: countCauses(quarantined),
      complete: live.complete && dead.complete && held.complete && heldDead.complete,
    },
  }
}

async function readVault(
  vault: string,
  pending: readonly PendingChange[],
  { store, now }: ProtectionStatusOptions,
): Promise<VaultStatus> {
  const { host } = new URL(vault)
  const gaps = new Map<string, OpenGap>()
  for await (const { name, metadata } of store.list(gapPrefixOfVault(host))) {
    const entry = parseStoreEntryName(name)
    if (entry?.kind !== "gap") continue
    const ledger = parseLedgerEntry(metadata)
    const key = versionKey(entry.object)
    const since = earlier(gaps.get(key)?.since, ledger?.eventAt ?? ledger?.putAt)
    gaps.set(key, {
      id: formatVersionUrl(entry.object),
      reason: entry.reason,
      ...(ledger?.code === undefined ? {} : { code: ledger.code }),
      ...(since ? { since } : {}),
    })
  }
  const waiting = new Map<string, Date | undefined>()
  for (const { object, changedAt } of pending) {
    const key = versionKey(object)
    if (object.vault === vault) waiting.set(key, earlier(waiting.get(key), changedAt))
  }
  const publicOnly: string[] = []
  let records = 0
  let firstPutAt: Date | undefined
  let lastPutAt: Date | undefined
  for await (const { name, metadata, createdAt } of store.list(recordPrefixOfVault(host))) {
    const entry = parseStoreEntryName(name)
    if (entry?.kind !== "record") continue
    records += 1
    gaps.delete(versionKey(entry.object))
    waiting.delete(versionKey(entry.object))
    const ledger = parseLedgerEntry(metadata)
    if (ledger?.isPublicOnly) publicOnly.push(formatVersionUrl(entry.object))
    const putAt = ledger?.putAt ?? createdAt
    firstPutAt = earlier(firstPutAt, putAt)
    if (!lastPutAt || putAt > lastPutAt) lastPutAt = putAt
  }
  const openTimes = [...[...gaps.values()].map(({ since }) => since), ...waiting.values()]
  const protectedUpTo = openTimes.reduce<Date>((least, time) => (time && time < least ? time : least), now)
  return {
    vault,
    records,
    ...(firstPutAt ? { firstPutAt } : {}),
    ...(lastPutAt ? { lastPutAt } : {}),
    openGaps: [...gaps.values()],
    publicOnly,
    protectedUpTo,
  }
}

/** A gap of a secret is closed by the record of its certificate too: they share name and version. */
function versionKey({ host, name, version }: ObjectVersion): string {
  return `${host}/${name}/${version}`
}
