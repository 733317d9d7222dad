import { checkPlan } from "../shared/diagnosis/plan/checkPlan.ts"
import { readPlan } from "../shared/diagnosis/plan/plan.ts"
import { ServiceError } from "../shared/errors.ts"
import { type CommandStreams, readJsonFile } from "./commandContext.ts"
import { formatFix } from "./doctorText.ts"
import { exitAttention, exitDone } from "./exitCodes.ts"

/**
 * `kvbackup doctor --plan FILE`: what is wrong in a described set-up, without asking anybody.
 *
 * @returns 0, or 30 with findings.
 * @throws ServiceError ERR_CONFIG_INVALID for a file that describes no resources.
 */
export function runDoctorPlan(file: string, json: boolean, streams: CommandStreams): number {
  const plan = readPlan(readJsonFile(file, "plan"))
  if (!plan) {
    throw new ServiceError("ERR_CONFIG_INVALID", `${file} describes no resources`, {
      hint: "Give the snapshot of a Bicep plan, an exported template, or a list of resources, as JSON.",
    })
  }
  const findings = checkPlan(plan)
  const exitCode = findings.length > 0 ? exitAttention : exitDone
  if (json) {
    const document = {
      format: "kvbackup-doctor/1",
      exitCode,
      plan: file,
      resources: plan.resources.length,
      findings,
    }
    streams.out(`${JSON.stringify(document)}\n`)
    return exitCode
  }
  const lines = findings.flatMap(({ rule, resource, says, fix }) => [
    `${rule}  ${resource}`,
    `       ${says}`,
    ...formatFix(fix).map((line) => `       ${line}`),
  ])
  const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`
  streams.out(
    [...lines, ...(lines.length > 0 ? [""] : []), `${count} in ${plan.resources.length} resources.`, ""].join(
      "\n",
    ),
  )
  return exitCode
}
