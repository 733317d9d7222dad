import { codeSaid, eventually, type PlannedCloud } from "./plannedCloud.ts"
import type { CliEnd } from "./runCli.ts"

/** How a step ends that needs no more rights than its job has. */
export const ok = "ok"

/** One thing that a job does. */
export interface RoleStep {
  readonly name: string
  /** What must be there beforehand; runs with all rights of the plan. */
  readonly prepare?: (cloud: PlannedCloud) => Promise<void>
  /** @returns `ok`, or the code that it ended with. */
  readonly run: (cloud: PlannedCloud) => Promise<string>
  /** Takes away what would be in the way of other steps; runs with all rights of the plan. */
  readonly cleanUp?: (cloud: PlannedCloud) => Promise<void>
}

/** Where the documents of the commands have their codes. */
interface Answer {
  readonly code?: string
  readonly problems?: readonly { readonly code?: string }[]
  readonly vaults?: readonly { readonly incomplete?: { readonly code?: string } }[]
  readonly versions?: readonly { readonly code?: string }[]
  readonly items?: readonly { readonly problem?: { readonly code?: string } }[]
  readonly proof?: { readonly days: readonly { readonly code?: string }[] }
}

/** `ok` when the command did or told all of it; else the first code in its document. */
export function endOfCommand({ json, exitCode }: CliEnd): string {
  const { code, problems = [], vaults = [], versions = [], items = [], proof } = json<Answer>()
  const codes = [
    code,
    ...problems.map((problem) => problem.code),
    ...vaults.map(({ incomplete }) => incomplete?.code),
    ...versions.map((version) => version.code),
    ...items.map(({ problem }) => problem?.code),
    ...(proof?.days ?? []).map((day) => day.code),
  ]
  const named = codes.find((one) => one !== undefined)
  return named ?? (exitCode === 0 || exitCode === 30 ? ok : `exit code ${exitCode}`)
}

/** Runs a timer; `event` is what it says when it fails. */
export async function endOfTimer(cloud: PlannedCloud, name: string, event: string): Promise<string> {
  const from = cloud.journey.lines.length
  if (await cloud.runTimer(name)) return ok
  return eventually(() => codeSaid(cloud.journey, event, from))
}
