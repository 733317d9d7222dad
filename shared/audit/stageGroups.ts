import { type Origin, origins } from "../change/change.ts"
import type { AuditGroup } from "./auditReport.ts"
import { createDistribution, type Distribution } from "./distribution.ts"
import { percentilesOf } from "./percentilesOf.ts"
import { type Stage, stages, type StageTimes } from "./stages.ts"

/** The stages of many versions by vault, by origin, and by whether they were deferred. */
export interface StageGroups {
  readonly add: (vault: string, origin: Origin, isDeferred: boolean, stageTimes: StageTimes) => void
  /** For all vaults, then for each in the order of names; those of each origin, then apart where some were deferred. */
  readonly list: () => AuditGroup[]
}

/** The distributions of the stages, by vault, origin and whether they were deferred. */
type Leaves = Map<string, Partial<Record<Stage, Distribution>>>

/** No versions yet. */
export function createStageGroups(): StageGroups {
  const leaves: Leaves = new Map()
  const vaults = new Set<string>()
  return {
    add: (vault, origin, isDeferred, stageTimes) => {
      vaults.add(vault)
      const leaf = leafAt(leaves, keyOf(vault, origin, isDeferred))
      for (const stage of stages) {
        const ms = stageTimes[stage]
        if (ms !== undefined) (leaf[stage] ??= createDistribution()).add(ms)
      }
    },
    list: () => {
      const sorted = [...vaults].sort()
      return [null, ...sorted].flatMap((vault) =>
        origins.flatMap((origin) => groupsOf(leaves, vault, vault === null ? sorted : [vault], origin)),
      )
    },
  }
}

function groupsOf(
  leaves: Leaves,
  vault: string | null,
  members: readonly string[],
  origin: Origin,
): AuditGroup[] {
  const select = (deferred: readonly boolean[], stage: Stage): Distribution => {
    const parts = members.flatMap((member) =>
      deferred.flatMap((isDeferred) => leaves.get(keyOf(member, origin, isDeferred))?.[stage] ?? []),
    )
    const [only] = parts
    if (only && parts.length === 1) return only
    const all = createDistribution()
    for (const part of parts) all.absorb(part)
    return all
  }
  const rows = (deferred: boolean | null) =>
    stages.flatMap((stage): AuditGroup[] => {
      const all = select(deferred === null ? [false, true] : [deferred], stage)
      return all.count() > 0 ? [{ vault, origin, deferred, stage, ...describe(all, stage) }] : []
    })
  const deferred = rows(true)
  return [...rows(null), ...(deferred.length > 0 ? [...rows(false), ...deferred] : [])]
}

/** The figures of one distribution that is not empty. */
function describe(distribution: Distribution, stage: Stage) {
  return {
    count: distribution.count(),
    negative: distribution.countBelow(stage === "putToWitness" ? -999 : 0),
    minMs: distribution.at(1),
    ...percentilesOf(distribution),
  }
}

function leafAt(leaves: Leaves, key: string): Partial<Record<Stage, Distribution>> {
  const known = leaves.get(key)
  if (known) return known
  const fresh = {}
  leaves.set(key, fresh)
  return fresh
}

function keyOf(vault: string, origin: Origin, isDeferred: boolean): string {
  return `${vault} ${origin} ${isDeferred}`
}
