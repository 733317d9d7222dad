import { describeError, type ErrorCode, type ServiceError } from "../errors.ts"
import type { AuditProblem } from "./auditReport.ts"

/** What keeps an audit from being complete, but for services that do not answer: those have their error code. */
const messages = {
  "foreign-blob": "blobs that this product did not write",
  "metadata-missing": "entries that lack metadata which every entry has, or whose metadata cannot be read",
  "format-unknown": "entries of a format that this release does not know",
  "time-absurd": "entries whose times contradict each other or the service's own clock",
  "queue-too-long": "queues with more messages than the 10,000 that are looked at",
} as const

export type ProblemCode = keyof typeof messages

/** Problems by their code, each with its number and up to ten names. */
export interface Problems {
  readonly add: (code: ProblemCode, sample: string) => void
  readonly addError: (error: ServiceError, sample: string) => void
  /** In the order of their codes. */
  readonly list: () => AuditProblem[]
}

const sampleLimit = 10

/** No problems yet. */
export function createProblems(): Problems {
  const problems = new Map<string, AuditProblem>()
  const add = (code: string, message: string, sample: string) => {
    const problem = problems.get(code) ?? { code, message, count: 0, samples: [] }
    problem.count += 1
    if (problem.samples.length < sampleLimit) problem.samples.push(sample)
    problems.set(code, problem)
  }
  return {
    add: (code, sample) => add(code, messages[code], sample),
    addError: ({ code, message }, sample) => add(code, message.replace(/^\[\w+\] /, ""), sample),
    list: () => [...problems.values()].sort((a, b) => (a.code < b.code ? -1 : 1)),
  }
}

/** What to do about a problem, where the catalogue of errors has an answer. */
export function hintOf(code: string): string | undefined {
  return code.startsWith("ERR_") ? describeError(code as ErrorCode).hint : undefined
}
