import type { Distribution } from "./distribution.ts"
import { isMeaningful, rankOf } from "./percentile.ts"

/** The percentiles that reports show of a distribution that is not empty. */
export function percentilesOf(distribution: Distribution) {
  const count = distribution.count()
  const at = (percentile: number) => distribution.at(rankOf(percentile, count))
  return {
    p50Ms: at(50),
    p90Ms: at(90),
    p95Ms: at(95),
    p99Ms: at(99),
    maxMs: at(100),
    isP99Meaningful: isMeaningful(99, count),
  }
}
