import type { AuditObjective } from "./auditReport.ts"
import { createDistribution, type Distribution } from "./distribution.ts"
import { isMeaningful, rankOf } from "./percentile.ts"
import { percentilesOf } from "./percentilesOf.ts"

/** Which percentile of versions is to be stored within which time, as `BACKUP_OBJECTIVE` gives it. */
export interface Objective {
  readonly percentile: number
  readonly limitMs: number
}

/** Versions as they come, to be judged by an objective in the end. */
export interface ObjectiveTally {
  /** A stored version, by its raw signed latency; `undefined` where its metadata does not tell. */
  readonly add: (latencyMs: number | undefined) => void
  /** Adds all of another tally of the same objective. */
  readonly absorb: (other: ObjectiveTally) => void
  /** max(0, latency) of the measured ones. */
  readonly lateness: Distribution
  readonly unmeasured: () => number
  readonly skew: () => { readonly count: number; readonly leastMs: number }
  /**
   * @param unprotected - open gaps. A gap counts against the objective at once, however young: its message is settled,
   * so nothing tries again by itself.
   * @param isWhole - false when versions may be missing; then nothing is judged.
   */
  readonly judge: (unprotected: number, isWhole: boolean) => AuditObjective
}

/** No versions yet. */
export function createObjectiveTally({ percentile, limitMs }: Objective): ObjectiveTally {
  const lateness = createDistribution()
  let unmeasured = 0
  let skewed = 0
  let leastMs = 0
  return {
    lateness,
    unmeasured: () => unmeasured,
    skew: () => ({ count: skewed, leastMs }),
    add: (latencyMs) => {
      if (latencyMs === undefined) unmeasured += 1
      else lateness.add(Math.max(0, latencyMs))
      if (latencyMs === undefined || latencyMs >= 0) return
      skewed += 1
      leastMs = Math.min(leastMs, latencyMs)
    },
    absorb: (other) => {
      lateness.absorb(other.lateness)
      unmeasured += other.unmeasured()
      skewed += other.skew().count
      leastMs = Math.min(leastMs, other.skew().leastMs)
    },
    judge: (unprotected, isWhole) => {
      const measured = lateness.count()
      const within = lateness.countBelow(limitMs + 1)
      const breaches = measured - within
      const population = measured + unmeasured + unprotected
      const allowed = population - rankOf(percentile, population)
      const used = breaches + unprotected
      const judged = measured + unprotected
      const rank = rankOf(percentile, judged)
      return {
        population,
        measured,
        unmeasured,
        within,
        breaches,
        unprotected,
        // One that is not protected is later than any that is.
        percentileMs: rank >= 1 && rank <= measured ? lateness.at(rank) : null,
        isMeaningful: isMeaningful(percentile, judged),
        met: isWhole && population > 0 ? isMet(used, unmeasured, allowed) : null,
        budget: { allowed, used, left: allowed - used },
        latency: measured > 0 ? percentilesOf(lateness) : null,
        skewed,
        skewMs: skewed > 0 ? leastMs : null,
      }
    },
  }
}

/** null where the versions that could not be measured decide it. */
function isMet(used: number, unmeasured: number, allowed: number): boolean | null {
  if (used > allowed) return false
  return used + unmeasured <= allowed ? true : null
}
