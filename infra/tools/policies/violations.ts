import { eventPolicies } from "./events.ts"
import { functionAppPolicies } from "./functionApp.ts"
import { monitoringPolicies } from "./monitoring.ts"
import { networkPolicies } from "./network.ts"
import type { Plan, Policy } from "./plan.ts"
import { rolePolicies } from "./roles.ts"
import { serviceBusPolicies } from "./serviceBus.ts"
import { retentionPolicies, storagePolicies } from "./storage.ts"
import { vaultPolicies } from "./vaults.ts"

const evaluation = {
  "plan-is-evaluated": (plan) => [
    ...plan.predictedResources
      .filter(({ id, name }) => /^\[|\[/.test(id) || name.startsWith("["))
      .map(({ id }) => id),
    ...plan.diagnostics.map((diagnostic) => JSON.stringify(diagnostic)),
  ],
} as const satisfies Record<string, Policy>

/** Every policy, by the name that its violation has. */
export const policies = {
  ...evaluation,
  ...storagePolicies,
  ...retentionPolicies,
  ...serviceBusPolicies,
  ...vaultPolicies,
  ...eventPolicies,
  ...networkPolicies,
  ...rolePolicies,
  ...functionAppPolicies,
  ...monitoringPolicies,
} as const satisfies Record<string, Policy>

export type PolicyName = keyof typeof policies

/** One place where a plan breaks a policy. */
export interface Violation {
  readonly policy: PolicyName
  readonly where: string
}

/** Everything that a plan breaks; empty for a plan that may be deployed. */
export function findViolations(plan: Plan): readonly Violation[] {
  return Object.entries(policies).flatMap(([policy, find]) =>
    find(plan).map((where) => ({ policy: policy as PolicyName, where })),
  )
}
