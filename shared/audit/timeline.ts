import type { AuditBucket } from "./auditReport.ts"
import { createDistribution, type Distribution } from "./distribution.ts"
import { rankOf } from "./percentile.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Each a multiple of the one before, so that narrow buckets can be made into wide ones exactly. */
const widthsMs = [
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  7 * day,
  28 * day,
  364 * day,
]

const mostBuckets = 400

/** Latency over time, in buckets that grow wider until there are at most 400 from the first to the last. */
export interface Timeline {
  readonly add: (witnessedAt: Date, latenessMs: number) => void
  readonly addGap: (witnessedAt: Date) => void
  /** In order of time, without the empty ones. */
  readonly buckets: (limitMs: number) => AuditBucket[]
}

interface Bucket {
  readonly lateness: Distribution
  gaps: number
}

/** No versions yet. Memory is bounded by the number of buckets. */
export function createTimeline(): Timeline {
  let buckets = new Map<number, Bucket>()
  let level = 0
  let first = Infinity
  let last = -Infinity
  const width = () => widthsMs[level] ?? Infinity

  const widen = () => {
    const before = width()
    level += 1
    const wide = new Map<number, Bucket>()
    for (const [index, { lateness, gaps }] of buckets) {
      const target = bucketAt(wide, Math.floor((index * before) / width()))
      target.lateness.absorb(lateness)
      target.gaps += gaps
    }
    buckets = wide
    first = Math.min(...wide.keys())
    last = Math.max(...wide.keys())
  }
  const at = (time: Date): Bucket => {
    for (;;) {
      const index = Math.floor(time.getTime() / width())
      const least = Math.min(first, index)
      const most = Math.max(last, index)
      if (most - least < mostBuckets || level === widthsMs.length - 1) {
        first = least
        last = most
        return bucketAt(buckets, index)
      }
      widen()
    }
  }
  return {
    add: (witnessedAt, latenessMs) => at(witnessedAt).lateness.add(latenessMs),
    addGap: (witnessedAt) => {
      at(witnessedAt).gaps += 1
    },
    buckets: (limitMs) =>
      [...buckets]
        .sort(([one], [other]) => one - other)
        .map(([index, { lateness, gaps }]) => {
          const count = lateness.count()
          const rank = (percentile: number) => (count > 0 ? lateness.at(rankOf(percentile, count)) : null)
          return {
            from: new Date(index * width()).toISOString(),
            to: new Date((index + 1) * width()).toISOString(),
            count,
            p50Ms: rank(50),
            p99Ms: rank(99),
            maxMs: rank(100),
            breaches: count - lateness.countBelow(limitMs + 1),
            openGaps: gaps,
          }
        }),
  }
}

function bucketAt(buckets: Map<number, Bucket>, index: number): Bucket {
  const known = buckets.get(index)
  if (known) return known
  const fresh = { lateness: createDistribution(), gaps: 0 }
  buckets.set(index, fresh)
  return fresh
}
