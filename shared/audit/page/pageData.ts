import type { AuditReport } from "../auditReport.ts"

/** What the page is given: its island of JSON. */
export interface PageData {
  readonly report: AuditReport
  /** Present where the page asks for newer reports by itself. */
  readonly live?: {
    /** Where the report comes from as JSON, on the same origin. */
    readonly url: string
    readonly everyMs: number
    /** What the report is about, and what else it could be about: `?since=` of the page's own address. */
    readonly period: string
    readonly periods: readonly string[]
  }
}
