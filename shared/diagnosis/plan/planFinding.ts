import type { Fix } from "../verdict.ts"
import { textAt } from "../armAnswer.ts"
import type { Plan, PlanResource } from "./plan.ts"

/** One thing that is wrong in a described set-up. */
export interface PlanFinding {
  /** Name of the rule, which is stable. */
  readonly rule: string
  /** Type and name of the resource. */
  readonly resource: string
  readonly says: string
  readonly fix: Fix
}

/** A check of a whole set-up; pure. */
export type PlanRule = (plan: Plan) => readonly PlanFinding[]

export const storageType = "microsoft.storage/storageaccounts"
export const vaultType = "microsoft.keyvault/vaults"
export const namespaceType = "microsoft.servicebus/namespaces"
export const subscriptionType = /^microsoft\.eventgrid\/(systemtopics\/)?eventsubscriptions$/

/** The resources of one type. */
export function ofType({ resources }: Plan, type: string | RegExp): readonly PlanResource[] {
  return resources.filter((each) => (typeof type === "string" ? each.type === type : type.test(each.type)))
}

/** A finding about a resource. */
export function finding(rule: string, { type, name }: PlanResource, says: string, fix: Fix): PlanFinding {
  return { rule, resource: `${type}/${name}`, says, fix }
}

/** Does an id name this resource, as far as it is told? Names of these types are unique in their cloud. */
export function isNamed(id: string, { type, name, id: own }: PlanResource): boolean {
  const asked = id.toLowerCase()
  if (own !== "" && asked === own) return true
  const [kind = ""] = type.split("/").slice(-1)
  return (
    asked.includes(`/${kind}/${name.toLowerCase()}`) &&
    asked.split(`/${kind}/${name.toLowerCase()}`)[1] === ""
  )
}

/** A text that is an expression nobody worked out. */
export function isExpression(text: string): boolean {
  return text.startsWith("[")
}

/** Where an event subscription delivers to, and leaves what it cannot deliver; ids in lower case. */
export function destinationsOf(subscription: PlanResource): {
  readonly delivery: string
  readonly deadLetters: string
} {
  const { properties } = subscription
  const idOf = (...names: readonly string[]) => {
    let at: unknown = properties
    for (const name of names) at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined
    return textAt(at, "resourceId").toLowerCase()
  }
  return {
    delivery:
      idOf("deliveryWithResourceIdentity", "destination", "properties") || idOf("destination", "properties"),
    deadLetters:
      idOf("deadLetterWithResourceIdentity", "deadLetterDestination", "properties") ||
      idOf("deadLetterDestination", "properties"),
  }
}

/** The namespace of the id of a queue. */
export function namespaceIdOf(queueId: string): string {
  return queueId.split("/queues/")[0] ?? ""
}
