import { at, type Plan, type PlannedResource, resourcesOf } from "../../../infra/tools/policies/plan.ts"
import type { PolicyName } from "../../../infra/tools/policies/violations.ts"
import { accountWith } from "../../../infra/tools/policies/whichAccount.ts"

/** A plan with one thing wrong. */
export interface Mutant {
  /** The one policy that must be broken. */
  readonly breaks: PolicyName
  readonly change: string
  readonly mutate: (plan: Plan) => void
  /** Default: newVault. */
  readonly plan?: string
}

/** The first resource of a type, or the one whose name contains a text. */
export function one(plan: Plan, type: string, name = ""): PlannedResource {
  const found = resourcesOf(plan, type).find((resource) => resource.name.includes(name))
  if (!found) throw new Error(`There is no ${type} ${name}`)
  return found
}

/** Sets what lies at a dotted path, which must be there up to its last step. */
export function set(value: unknown, path: string, to: unknown): void {
  const keys = path.split(".")
  const last = keys.pop() ?? ""
  const parent = keys.length === 0 ? value : at(value, keys.join("."))
  if (typeof parent !== "object" || parent === null) throw new Error(`There is nothing at ${path}`)
  Reflect.set(parent, last, to)
}

export function remove(plan: Plan, resource: PlannedResource): void {
  plan.predictedResources.splice(plan.predictedResources.indexOf(resource), 1)
}

/** A change of one value. */
export const change =
  (type: string, name: string, path: string, to: unknown) =>
  (plan: Plan): void =>
    set(one(plan, type, name), path, to)

/** The account of the backups. */
export const backups = (plan: Plan) => accountWith(plan, "keyvault-backups")!
/** The account of the dead letters. */
export const deadLetters = (plan: Plan) => accountWith(plan, "eventgrid-dead-letters")!
