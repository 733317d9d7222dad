import type { Clock } from "../clock.ts"
import type { AuditReport } from "./auditReport.ts"

/** The periods that a served report can be about: a few, so that nobody makes work by asking for ever other ones. */
export const reportPeriods = ["24h", "7d", "30d", "all"] as const

export type ReportPeriod = (typeof reportPeriods)[number]

const dayMs = 86_400_000
const lengthsMs: Readonly<Record<ReportPeriod, number>> = {
  "24h": dayMs,
  "7d": 7 * dayMs,
  "30d": 30 * dayMs,
  all: Infinity,
}

/** When a period that ends at `until` begins; `undefined`: with the first blob. */
export function periodStart(period: ReportPeriod, until: Date): Date | undefined {
  const lengthMs = lengthsMs[period]
  return lengthMs === Infinity ? undefined : new Date(until.getTime() - lengthMs)
}

/** Gives a report that is new enough. */
export type FreshReports = (period: ReportPeriod) => Promise<AuditReport>

const leastMs = 2000
/** A report is kept for ten times as long as it took, so that reading the ledger is a tenth of the time at most. */
const keptFor = 10

/**
 * Reads one report at a time and repeats it for at least two seconds, and for longer the longer it took, whoever asks
 * and however often. A failure is given to all who wait for it, and is not kept.
 */
export function createFreshReports(
  read: (period: ReportPeriod) => Promise<AuditReport>,
  clock: Pick<Clock, "now">,
): FreshReports {
  const known = new Map<ReportPeriod, { readonly until: number; readonly report: AuditReport }>()
  const asking = new Map<ReportPeriod, Promise<AuditReport>>()
  let last: Promise<unknown> = Promise.resolve()
  const readNext = async (period: ReportPeriod, before: Promise<unknown>) => {
    try {
      await before.catch(() => {})
      const startedAt = clock.now().getTime()
      const report = await read(period)
      const endedAt = clock.now().getTime()
      known.set(period, { until: endedAt + Math.max(leastMs, keptFor * (endedAt - startedAt)), report })
      return report
    } finally {
      asking.delete(period)
    }
  }
  return async (period) => {
    const found = known.get(period)
    if (found && clock.now().getTime() < found.until) return found.report
    const waiting = asking.get(period)
    if (waiting) return waiting
    const next = readNext(period, last)
    last = next
    asking.set(period, next)
    return next
  }
}
