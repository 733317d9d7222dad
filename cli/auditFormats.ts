import type { AuditReport } from "../shared/audit/auditReport.ts"
import { renderReport } from "../shared/audit/renderReport.ts"
import { formatAuditTable } from "./auditTable.ts"
import { readLatencyPageAssets } from "./latencyPageAssets.ts"

/** A report as text, in pieces that are written one after the other. The same report gives the same text. */
export type RenderReport = (report: AuditReport) => Iterable<string> | AsyncIterable<string>

/** Formats of the report. `csv` is not among them: it has the ledger itself, row by row. */
export const reportFormats = {
  table: formatAuditTable,
  json: (report: AuditReport) => [`${JSON.stringify(report)}\n`],
  html: (report: AuditReport) => [renderReport(report, readLatencyPageAssets()).html],
} as const satisfies Readonly<Record<string, RenderReport>>

export type AuditFormatName = keyof typeof reportFormats | "csv"

/** Every name that `--format` takes. */
export const auditFormatNames: readonly AuditFormatName[] = [
  ...(Object.keys(reportFormats) as (keyof typeof reportFormats)[]),
  "csv",
]
