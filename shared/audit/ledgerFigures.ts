import type { AuditReport } from "./auditReport.ts"
import { type CanaryFigures, createCanaryFigures } from "./canaryFigures.ts"
import { toHistogram } from "./latencyHistogram.ts"
import { createObjectiveTally, type Objective } from "./objective.ts"
import { createOpenGaps, type OpenGaps } from "./openGaps.ts"
import type { Problems } from "./problems.ts"
import { type LedgerLine, type OtherPrefix, otherPrefixes, type VersionLine } from "./readLedger.ts"
import { createStageGroups } from "./stageGroups.ts"
import { latencyOf } from "./stages.ts"
import { createWorstStories, type SoundLine } from "./story.ts"
import { createTimeline } from "./timeline.ts"
import { createVaultTally, type VaultTally } from "./vaultTally.ts"
import { versionKey } from "./versionKey.ts"

export interface LedgerFiguresOptions {
  readonly vaults: readonly string[]
  readonly objective: Objective
  readonly since?: Date
  readonly problems: Problems
  /** False when only the blobs of one vault are listed: then nothing is known of others. */
  readonly seesAll: boolean
}

/** Every figure that comes from the ledger. */
export type LedgerReport = Pick<
  AuditReport,
  "objective" | "vaults" | "otherVaults" | "groups" | "worst" | "timeline" | "histogram" | "prefixes"
>

/** The ledger line by line, to figures in memory that does not grow with it, but for open gaps. */
export interface LedgerFigures {
  /** @returns is the version asked about, and does its time of creation lie in the period? */
  readonly add: (line: LedgerLine) => boolean
  readonly gaps: OpenGaps
  readonly canary: CanaryFigures
  /** @param isWhole - false when the listing broke off. */
  readonly report: (isWhole: boolean) => LedgerReport
}

const mostWorst = 200
const mostOtherVaults = 50

/** No lines yet. */
export function createLedgerFigures(options: LedgerFiguresOptions): LedgerFigures {
  const { vaults, objective, since, problems, seesAll } = options
  const tallies = new Map(vaults.map((vault) => [vault, createVaultTally(vault, objective)]))
  const others = new Map<string, { records: number; gaps: number }>()
  const prefixes = Object.fromEntries(otherPrefixes.map((prefix) => [prefix, 0])) as Record<
    OtherPrefix,
    number
  >
  const [gaps, groups, timeline] = [createOpenGaps(), createStageGroups(), createTimeline()]
  const worst = createWorstStories(mostWorst, objective.limitMs)
  const canary = createCanaryFigures()
  const counts = { records: 0, gaps: 0, foreign: 0 }
  const isInPeriod = (witnessedAt: Date) => since === undefined || witnessedAt >= since

  const addRecord = (line: VersionLine, tally: VaultTally) => {
    gaps.close(versionKey(line.object))
    tally.add(line)
    if (!isInPeriod(line.witnessedAt)) return
    if (!isSound(line)) tally.tally.add(undefined)
    else addSound(line, tally)
  }
  const addSound = (line: SoundLine, { tally }: VaultTally) => {
    const { entry, stages } = line
    groups.add(line.object.vault, entry.origin, entry.attempt > 1, stages)
    if (entry.origin !== "live" && entry.origin !== "replay") return
    const latencyMs = latencyOf(stages)
    tally.add(latencyMs)
    if (latencyMs === undefined) return
    timeline.add(line.witnessedAt, Math.max(0, latencyMs))
    worst.add(line, latencyMs)
  }
  return {
    gaps,
    canary,
    add: (line) => {
      if (line.kind === "other") {
        prefixes[line.prefix] += 1
        return false
      }
      if (line.kind === "foreign") {
        counts.foreign += 1
        if (isInPeriod(line.witnessedAt)) problems.add("foreign-blob", line.blob)
        return false
      }
      const tally = tallies.get(line.object.vault)
      if (!tally) {
        countOther(others, line)
        return false
      }
      counts[line.kind === "record" ? "records" : "gaps"] += 1
      if (line.problem && isInPeriod(line.witnessedAt)) problems.add(line.problem, line.blob)
      if (line.kind === "gap") gaps.add(line)
      else {
        addRecord(line, tally)
        canary.add(line)
      }
      return isInPeriod(line.witnessedAt)
    },
    report: (isWhole) => {
      const all = createObjectiveTally(objective)
      let openCount = 0
      const described = [...tallies].map(([vault, tally]) => {
        const open = gaps.list(vault)
        all.absorb(tally.tally)
        openCount += open.length
        for (const { witnessedAt } of open)
          if (isInPeriod(new Date(witnessedAt))) timeline.addGap(new Date(witnessedAt))
        return tally.describe(open, isWhole)
      })
      return {
        objective: all.judge(openCount, isWhole),
        vaults: described,
        otherVaults: [...others]
          .map(([vault, { records, gaps: gapCount }]) => ({ vault, records, gaps: gapCount }))
          .sort((one, other) => (one.vault < other.vault ? -1 : 1))
          .slice(0, mostOtherVaults),
        groups: groups.list(),
        worst: worst.list(),
        timeline: timeline.buckets(objective.limitMs),
        histogram: toHistogram(all.lateness, objective.limitMs),
        prefixes: {
          records: counts.records,
          gaps: counts.gaps,
          ...(Object.fromEntries(
            otherPrefixes.map((prefix) => [prefix, seesAll ? prefixes[prefix] : null]),
          ) as Record<OtherPrefix, number | null>),
          foreign: seesAll ? counts.foreign : null,
        },
      }
    },
  }
}

function isSound(line: VersionLine): line is SoundLine {
  return line.problem === undefined && line.entry !== undefined && line.stages !== undefined
}

function countOther(
  others: Map<string, { records: number; gaps: number }>,
  { kind, object }: VersionLine & { readonly kind: "record" | "gap" },
): void {
  const known = others.get(object.vault) ?? { records: 0, gaps: 0 }
  known[kind === "record" ? "records" : "gaps"] += 1
  others.set(structuredClone(object.vault), known)
}
