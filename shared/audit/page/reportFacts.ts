import type { AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { percentileName } from "./tiles.ts"

/** What was asked: period, objective, vaults. */
export function reportFacts({ query, vaults }: AuditReport): HTMLElement[] {
  const { percentile, limitMs } = query.objective
  const period = `${query.since === undefined ? "all" : `${formatSecond(query.since)}`} to ${formatSecond(query.until)} UTC`
  const [only] = vaults
  return [
    ["Period", period],
    ["Objective", `${percentileName(percentile)} within ${formatDuration(limitMs)}`],
    [
      vaults.length === 1 ? "Vault" : "Vaults",
      vaults.length === 1 ? (only?.vault ?? "") : String(vaults.length),
    ],
  ].map(([term, detail]) => h("div", {}, h("dt", {}, term), h("dd", {}, detail)))
}
