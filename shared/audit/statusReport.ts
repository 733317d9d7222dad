import type { AuditReport } from "./auditReport.ts"

/** Format name of the status document. Described in `docs/formats.md`. */
export const statusFormat = "kvbackup-status/1"

/** Whether everything is protected right now: the part of an audit of the last day that fits on one screen. */
export type StatusReport = Pick<
  AuditReport,
  "complete" | "problems" | "attention" | "objective" | "queues" | "canary"
> & {
  readonly format: typeof statusFormat
  readonly at: string
  /** The objective is about versions stored since then. */
  readonly since?: string
  readonly limit: AuditReport["query"]["objective"]
  readonly vaults: readonly Omit<AuditReport["vaults"][number], "objective">[]
}

/** The status of an audit that was made at this moment. */
export function toStatus(report: AuditReport): StatusReport {
  const { query, complete, problems, attention, objective, queues, canary } = report
  return {
    format: statusFormat,
    at: query.until,
    ...(query.since === undefined ? {} : { since: query.since }),
    complete,
    problems,
    attention,
    vaults: report.vaults.map(({ objective: _objective, ...vault }) => vault),
    ...(canary ? { canary } : {}),
    ...(queues ? { queues } : {}),
    limit: query.objective,
    objective,
  }
}
