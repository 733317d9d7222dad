import { formatVersionUrl } from "../change/objectVersion.ts"
import type { AuditOpenGap } from "./auditReport.ts"
import type { LedgerLine } from "./readLedger.ts"
import { versionKey } from "./versionKey.ts"

/** Versions that have a gap record and, so far, no record. */
export interface OpenGaps {
  readonly add: (line: LedgerLine & { readonly kind: "gap" }) => void
  /** The version that has this key is stored. */
  readonly close: (key: string) => void
  readonly countOf: (vault: string) => number
  /** The oldest first. */
  readonly list: (vault: string) => OpenGap[]
}

export interface OpenGap extends AuditOpenGap {
  /** False when its own times cannot be relied on, and `since` is the time at which the gap was recorded. */
  readonly isSinceKnown: boolean
}

/** None yet. Every gap is held in memory until it is closed. */
export function createOpenGaps(): OpenGaps {
  const gaps = new Map<string, OpenGap>()
  const of = (vault: string) => [...gaps.values()].filter((gap) => gap.vault === vault)
  return {
    add: (line) => {
      const key = versionKey(line.object)
      const gap = toGap(line)
      const known = gaps.get(key)
      gaps.set(key, known ? joinGaps(known, gap) : gap)
    },
    close: (key) => gaps.delete(key),
    countOf: (vault) => of(vault).length,
    list: (vault) =>
      of(vault).sort((a, b) => compare(a.since, b.since) || compare(a.id, b.id) || compare(a.blob, b.blob)),
  }
}

function toGap({
  blob,
  object,
  reason,
  entry,
  problem,
  witnessedAt,
}: Parameters<OpenGaps["add"]>[0]): OpenGap {
  const since = problem
    ? undefined
    : (entry?.eventAt ?? entry?.changedAt ?? entry?.enqueuedAt ?? entry?.receivedAt ?? entry?.putAt)
  return structuredClone({
    id: formatVersionUrl(object),
    blob,
    vault: object.vault,
    reason,
    ...(entry?.code === undefined ? {} : { code: entry.code }),
    since: (since ?? witnessedAt).toISOString(),
    witnessedAt: witnessedAt.toISOString(),
    isSinceKnown: since !== undefined,
  })
}

/** One version with two reasons: the later reason, since the earlier time. */
function joinGaps(one: OpenGap, other: OpenGap): OpenGap {
  const later = other.witnessedAt >= one.witnessedAt ? other : one
  return {
    ...later,
    since: one.since < other.since ? one.since : other.since,
    isSinceKnown: one.isSinceKnown && other.isSinceKnown,
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
