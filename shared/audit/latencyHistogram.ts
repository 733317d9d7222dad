import type { AuditBin } from "./auditReport.ts"
import type { Distribution } from "./distribution.ts"

/** Six bounds a decade, evenly spaced to the eye on a logarithmic axis. */
const steps = [10, 15, 20, 30, 50, 70] as const

/** From 10 ms to some three years. */
const decades = 10

/**
 * The distribution in bins of about equal width on a logarithmic axis, without the empty ones before the first and
 * after the last. The objective's limit is a bound too, so that no bin lies on both sides of it.
 */
export function toHistogram(lateness: Distribution, limitMs: number): AuditBin[] {
  const bounds = [0]
  for (let decade = 0; decade < decades; decade += 1) bounds.push(...steps.map((step) => step * 10 ** decade))
  // A version is within the limit when it is exactly as late, so the bin above begins one millisecond later.
  const sorted = [...new Set([...bounds, limitMs + 1])].sort((a, b) => a - b)
  const bins = sorted.map((fromMs, index): AuditBin => {
    const toMs = sorted[index + 1]
    const below = toMs === undefined ? lateness.count() : lateness.countBelow(toMs)
    return { fromMs, toMs: toMs ?? null, count: below - lateness.countBelow(fromMs) }
  })
  const isFilled = ({ count }: AuditBin) => count > 0
  const first = bins.findIndex(isFilled)
  return first < 0 ? [] : bins.slice(first, bins.findLastIndex(isFilled) + 1)
}
