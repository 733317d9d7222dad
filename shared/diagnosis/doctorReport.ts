import type { HopEvidence } from "./evidence.ts"
import type { DoctorJob } from "./job.ts"
import type { Verdict } from "./verdict.ts"

/** One line of the report: a hop, or what is looked at beside the hops. */
export interface Finding extends Verdict {
  /** `settings`, `identity`, `vault`, `store`, `queue`, `deadLetter`, `state`, `digestKey`, `object`, `policy`, … */
  readonly hop: string
  readonly job?: DoctorJob
  readonly target: string
  readonly evidence?: Readonly<Record<string, unknown>>
}

/** What the doctor saw, and says. No token, no secret value and no body of an answer is in it. */
export interface DoctorReport {
  readonly at: Date
  readonly jobs: readonly DoctorJob[]
  readonly findings: readonly Finding[]
}

/** 31 when something could not be told, which wins; 30 when something fails; else 0. */
export function exitCodeOfReport({ findings }: Pick<DoctorReport, "findings">): 0 | 30 | 31 {
  if (findings.some(({ status }) => status === "unknown")) return 31
  return findings.some(({ status }) => status === "failing") ? 30 : 0
}

/** The evidence of a hop, fit to be shown. */
export function describeEvidence(evidence: HopEvidence): Readonly<Record<string, unknown>> {
  const { names, connection, challenge, token, calls, queueCalls, clockDifferenceMs } = evidence
  return {
    ...(names ? { names } : {}),
    ...(connection ? { connection } : {}),
    ...(challenge ? { challenge } : {}),
    ...(token ? { token } : {}),
    ...(clockDifferenceMs === undefined ? {} : { clockDifferenceMs }),
    calls: [
      ...calls.map(({ name, right, answer: { status, code, innerCode, error } }) => ({
        may: name,
        right,
        passed: error === undefined,
        ...(status === undefined ? {} : { status }),
        ...(code === "" ? {} : { code }),
        ...(innerCode === "" ? {} : { innerCode }),
        ...(error === undefined ? {} : { error }),
      })),
      ...queueCalls.map(({ name, right, answer: { error } }) => ({
        may: name,
        right,
        passed: error === undefined,
        ...(error === undefined ? {} : { error }),
      })),
    ],
  }
}
