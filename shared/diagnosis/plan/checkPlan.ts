import { appRules } from "./appRules.ts"
import { endpointRules } from "./endpointRules.ts"
import { eventRules } from "./eventRules.ts"
import { networkRules } from "./networkRules.ts"
import type { Plan } from "./plan.ts"
import type { PlanFinding } from "./planFinding.ts"

/** Everything that is wrong in a described set-up, in the order of the rules. Asks nobody; pure. */
export function checkPlan(plan: Plan): readonly PlanFinding[] {
  return [...networkRules, ...endpointRules, ...eventRules, ...appRules].flatMap((rule) => rule(plan))
}
