import { type DoctorReport, exitCodeOfReport, type Finding } from "../shared/diagnosis/doctorReport.ts"
import type { Fix } from "../shared/diagnosis/verdict.ts"

const marks = { ok: "ok", failing: "FAILS", unknown: "?", notAsked: "-" } as const

/** The report for people: a line for each hop, and under each that fails what mends it. */
export function formatDoctorReport(report: DoctorReport): string {
  const { findings, jobs, at } = report
  const lines = [`Asked as ${jobs.join(", ")} at ${at.toISOString()}`, ""]
  for (const finding of findings) {
    lines.push(
      `${marks[finding.status].padEnd(5)}  ${nameOf(finding)}  ${finding.target}`,
      `       ${finding.verdict === "ok" ? "" : `${finding.verdict}: `}${finding.says}`,
      ...(finding.notes ?? []).map((note) => `       Note: ${note}`),
      ...(finding.fix ? formatFix(finding.fix).map((line) => `       ${line}`) : []),
    )
  }
  return `${lines.join("\n")}\n\n${summaryOf(report)}\n`
}

function nameOf({ hop, job }: Finding): string {
  return job === undefined ? hop : `${hop} as ${job}`
}

/** A fix in lines, for people. */
export function formatFix({ what, bicep, role, az = [], setting }: Fix): readonly string[] {
  return [
    `Fix:   ${what}`,
    ...(role === undefined ? [] : [`Role:  ${role}`]),
    ...(setting === undefined ? [] : [`App:   ${setting}`]),
    ...(bicep === undefined ? [] : [`Bicep: ${bicep}`]),
    ...az.map((command) => `$ ${command}`),
  ]
}

function summaryOf(report: DoctorReport): string {
  const count = (status: Finding["status"]) =>
    report.findings.filter((finding) => finding.status === status).length
  const parts = [
    `${count("ok")} well`,
    `${count("failing")} failing`,
    ...(count("unknown") > 0 ? [`${count("unknown")} could not be told`] : []),
    ...(count("notAsked") > 0 ? [`${count("notAsked")} not asked, for what fails before`] : []),
  ]
  const code = exitCodeOfReport(report)
  return `${parts.join(", ")}.${code === 0 ? "" : ` Exit code ${code}.`}`
}
