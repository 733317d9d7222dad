import type { AuditReport } from "../auditReport.ts"
import type { Row } from "./row.ts"
import { counted, judge } from "./verdict.ts"

/**
 * What is worth saying aloud after an update, for those who do not see it: a changed verdict, versions that are new on
 * the page, of which some may be late. Nothing when only the clock went on.
 */
export function describeUpdate(
  before: { readonly report: AuditReport; readonly rows: readonly Row[] },
  after: { readonly report: AuditReport; readonly rows: readonly Row[] },
): string | undefined {
  const known = new Set(before.rows.map(({ key, state }) => `${state} ${key}`))
  const fresh = after.rows.filter(({ key, state }) => !known.has(`${state} ${key}`))
  const stored = fresh.filter(({ state }) => state !== "gap")
  const late = stored.filter(({ state }) => state === "late")
  const gaps = fresh.length - stored.length
  const verdict = judge(after.report).title
  const parts = [
    verdict !== judge(before.report).title && verdict,
    stored.length > 0 &&
      `${counted(stored.length, "version", "versions")} stored${late.length > 0 ? `, ${late.length} late` : ""}`,
    gaps > 0 && counted(gaps, "new gap", "new gaps"),
  ].filter((part) => part !== false)
  return parts.length === 0 ? undefined : `${parts.join(". ")}.`
}
