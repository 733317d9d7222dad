import { stages, type StageTimes } from "./stages.ts"
import type { AuditStory } from "./auditReport.ts"
import type { VersionLine } from "./readLedger.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import type { LedgerEntry } from "../store/ledgerEntry.ts"

/** A record whose metadata can be relied on. */
export interface SoundLine extends VersionLine {
  readonly entry: LedgerEntry
  readonly stages: StageTimes
}

/** One version from its change to its proof. @param latencyMs - raw. */
export function tellStory(line: SoundLine, latencyMs: number, limitMs: number): AuditStory {
  const { blob, object, entry, witnessedAt, sizeBytes } = line
  const time = (value: Date | undefined) => value?.toISOString() ?? null
  return {
    id: formatVersionUrl(object),
    blob,
    vault: object.vault,
    origin: entry.origin,
    attempt: entry.attempt,
    replays: entry.replays,
    latencyMs,
    isBreach: latencyMs > limitMs,
    isPublicOnly: entry.isPublicOnly === true,
    stages: Object.fromEntries(
      stages.map((stage) => [stage, line.stages[stage] ?? null]),
    ) as AuditStory["stages"],
    times: {
      changedAt: time(entry.changedAt),
      eventAt: time(entry.eventAt),
      enqueuedAt: time(entry.enqueuedAt),
      receivedAt: time(entry.receivedAt),
      readAt: time(entry.readAt),
      putAt: entry.putAt.toISOString(),
      witnessedAt: witnessedAt.toISOString(),
    },
    eventId: entry.eventId ?? null,
    kids: [...entry.kids],
    sha256: entry.sha256,
    sizeBytes,
  }
}

/** The latest versions, the worst first; the same for every order in which they come. */
export interface WorstStories {
  readonly add: (line: SoundLine, latencyMs: number) => void
  readonly list: () => AuditStory[]
}

/** Keeps up to `limit` of them. */
export function createWorstStories(limit: number, limitMs: number): WorstStories {
  const worst: AuditStory[] = []
  return {
    add: (line, latencyMs) => {
      const isWorse = (other: AuditStory) =>
        latencyMs > other.latencyMs || (latencyMs === other.latencyMs && line.blob < other.blob)
      const last = worst.at(-1)
      if (worst.length === limit && last && !isWorse(last)) return
      const place = worst.findIndex(isWorse)
      // A copy with strings of its own: a part of a page's text would keep the whole page in memory.
      worst.splice(place < 0 ? worst.length : place, 0, structuredClone(tellStory(line, latencyMs, limitMs)))
      if (worst.length > limit) worst.pop()
    },
    list: () => [...worst],
  }
}
