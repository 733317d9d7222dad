import { type AuditReport, auditReportSchema } from "../../shared/audit/auditReport.ts"
import { stages } from "../../shared/audit/stages.ts"
import { origins } from "../../shared/change/change.ts"
import { aBadDay } from "./aBadDay.ts"
import { versionId } from "./builders.ts"
import { reportOf, sampleUntil } from "./reportSamples.ts"

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)
const longName = (n: number) => `${"n".repeat(120)}-${n}`

/**
 * What a report of 1,000,000 versions in 60 vaults is at its largest: every list at the limit that the product sets, with
 * the longest names there can be. It has the form of a report, by its schema.
 */
export async function hugeReport(): Promise<AuditReport> {
  const small = await reportOf(aBadDay(40))
  const [vault] = small.vaults
  const [gap] = vault?.openGaps ?? []
  const [story] = small.worst
  const [bucket] = small.timeline
  const group = small.groups.find(({ stage }) => stage === "eventToPut")
  if (!vault || !gap || !story || !bucket || !group) throw new Error("The small report lacks a part")
  const vaults = upTo(60).map((n) => `https://${"v".repeat(20)}${n}.vault.azure.net`)
  const idOf = (at: string, n: number) => `${at}/secrets/${longName(n)}/${versionId(n)}`
  return auditReportSchema.parse({
    ...small,
    query: { ...small.query, vaults },
    vaults: vaults.map((at) => ({
      ...vault,
      vault: at,
      records: 16_667,
      openGapCount: 900,
      openGaps: upTo(200).map((n) => ({
        ...gap,
        vault: at,
        id: idOf(at, n),
        blob: `gaps/v1/${idOf(at, n)}`,
      })),
      publicOnlyCount: 400,
      publicOnly: upTo(200).map((n) => idOf(at, n)),
    })),
    objective: {
      ...small.objective,
      population: 1_054_000,
      measured: 1_000_000,
      within: 999_000,
      unprotected: 54_000,
    },
    groups: [null, ...vaults].flatMap((at) =>
      origins.flatMap((origin) =>
        [null, true, false].flatMap((deferred) =>
          stages.map((stage) => ({ ...group, vault: at, origin, deferred, stage, count: 200_000 })),
        ),
      ),
    ),
    worst: upTo(200).map((n) => {
      const at = vaults[n % vaults.length] ?? ""
      return {
        ...story,
        vault: at,
        id: idOf(at, n),
        blob: `v1/${idOf(at, n)}`,
        latencyMs: 10_000_000 - n * 40_000,
      }
    }),
    timeline: upTo(400).map((n) => ({
      ...bucket,
      from: new Date(sampleUntil.getTime() - (400 - n) * 86_400_000).toISOString(),
      to: new Date(sampleUntil.getTime() - (399 - n) * 86_400_000).toISOString(),
      count: 2500,
    })),
    prefixes: { ...small.prefixes, records: 1_000_000, gaps: 54_000 },
  })
}
