import type { AuditReport } from "./auditReport.ts"

const most = { gaps: 500, publicOnly: 200, stories: 500, groups: 1500 } as const

/**
 * A report of bounded length for a page: of long lists the part that matters most, while every count stays true. The
 * CSV has the rest.
 */
export function fitReport(report: AuditReport): AuditReport {
  const gaps = new Set(
    report.vaults
      .flatMap(({ openGaps }) => openGaps)
      .sort((a, b) => compare(a.since, b.since) || compare(a.blob, b.blob))
      .slice(0, most.gaps),
  )
  let room: number = most.publicOnly
  const vaults = report.vaults.map((vault) => {
    const publicOnly = vault.publicOnly.slice(0, room)
    room -= publicOnly.length
    return { ...vault, publicOnly, openGaps: vault.openGaps.filter((gap) => gaps.has(gap)) }
  })
  return {
    ...report,
    vaults,
    groups: fitGroups(report.groups),
    worst: report.worst.slice(0, most.stories),
  }
}

/** Those of all vaults, then whole vaults for as long as there is room. */
function fitGroups(groups: AuditReport["groups"]): AuditReport["groups"] {
  if (groups.length <= most.groups) return groups
  const counts = new Map<string | null, number>()
  for (const { vault } of groups) counts.set(vault, (counts.get(vault) ?? 0) + 1)
  const kept = new Set<string | null>()
  let room: number = most.groups
  for (const vault of [null, ...counts.keys()]) {
    const count = counts.get(vault) ?? 0
    if (kept.has(vault) || count > room) continue
    room -= count
    kept.add(vault)
  }
  return groups.filter(({ vault }) => kept.has(vault))
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
