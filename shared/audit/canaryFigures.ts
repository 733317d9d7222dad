import type { AuditCanary } from "./auditReport.ts"
import { canaryAgeLimitMs, isCanaryProof } from "./canary.ts"
import type { VersionLine } from "./readLedger.ts"
import { latencyOf } from "./stages.ts"

/** The newest canary that made the whole way. */
export interface CanaryFigures {
  readonly add: (line: VersionLine) => void
  /** `undefined` where no canary is set up, nor ever was stored. */
  readonly describe: (isSetUp: boolean, at: Date) => AuditCanary | undefined
}

/** None yet. */
export function createCanaryFigures(): CanaryFigures {
  let newest: { readonly changedAt: Date; readonly latencyMs: number | undefined } | undefined
  return {
    add: ({ entry, stages, problem, witnessedAt }) => {
      if (!entry || !stages || problem || !isCanaryProof(entry)) return
      const changedAt = entry.changedAt ?? witnessedAt
      if (!newest || changedAt > newest.changedAt) newest = { changedAt, latencyMs: latencyOf(stages) }
    },
    describe: (isSetUp, at) => {
      if (!newest && !isSetUp) return undefined
      const ageMs = newest ? Math.max(0, at.getTime() - newest.changedAt.getTime()) : null
      return {
        lastChangedAt: newest?.changedAt.toISOString() ?? null,
        ageMs,
        lastLatencyMs: newest?.latencyMs ?? null,
        isOverdue: isSetUp && (ageMs === null || ageMs > canaryAgeLimitMs),
      }
    },
  }
}
