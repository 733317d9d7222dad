import { formatVersionUrl } from "../change/objectVersion.ts"
import type { AuditOpenGap, AuditVault } from "./auditReport.ts"
import { earlier } from "./causes.ts"
import { createObjectiveTally, type Objective, type ObjectiveTally } from "./objective.ts"
import type { OpenGap } from "./openGaps.ts"
import type { VersionLine } from "./readLedger.ts"

/** How many gaps and ids are listed of one vault; the rest is counted. */
const mostListed = 200

/** What the store has of one vault. */
export interface VaultTally {
  readonly tally: ObjectiveTally
  /** A record, whenever it was stored. */
  readonly add: (line: VersionLine) => void
  readonly describe: (gaps: readonly OpenGap[], isWhole: boolean) => AuditVault
}

/** Nothing of `vault` yet. */
export function createVaultTally(vault: string, objective: Objective): VaultTally {
  const tally = createObjectiveTally(objective)
  const publicOnly: string[] = []
  let records = 0
  let publicOnlyCount = 0
  let firstPutAt: Date | undefined
  let lastPutAt: Date | undefined
  return {
    tally,
    add: ({ object, entry, problem, witnessedAt }) => {
      records += 1
      if (entry?.isPublicOnly) {
        publicOnlyCount += 1
        if (publicOnly.length < mostListed) publicOnly.push(structuredClone(formatVersionUrl(object)))
      }
      const putAt = entry && !problem ? entry.putAt : witnessedAt
      firstPutAt = earlier(firstPutAt, putAt)
      if (!lastPutAt || putAt > lastPutAt) lastPutAt = putAt
    },
    describe: (gaps, isWhole) => ({
      vault,
      records,
      ...(firstPutAt ? { firstPutAt: firstPutAt.toISOString() } : {}),
      ...(lastPutAt ? { lastPutAt: lastPutAt.toISOString() } : {}),
      openGapCount: gaps.length,
      openGaps: gaps.slice(0, mostListed).map(({ isSinceKnown: _known, ...gap }): AuditOpenGap => gap),
      publicOnlyCount,
      publicOnly,
      objective: tally.judge(gaps.length, isWhole),
    }),
  }
}
