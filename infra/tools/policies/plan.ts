import { readFileSync } from "node:fs"

/** A resource as a snapshot predicts it. What only a deployment can tell is an expression, `[reference(…)…]`. */
export interface PlannedResource {
  id: string
  type: string
  name: string
  location?: string
  kind?: string
  sku?: Record<string, unknown>
  identity?: { type?: string; userAssignedIdentities?: Record<string, unknown> }
  properties?: Record<string, unknown>
}

/** What a set of parameters leads to. */
export interface Plan {
  predictedResources: PlannedResource[]
  diagnostics: unknown[]
}

/** Finds where a plan breaks one rule. @returns a word for each place, such as the name of a resource. */
export type Policy = (plan: Plan) => readonly string[]

/** Reads a snapshot file; each call gives a plan of its own, which may be altered. */
export function readPlan(path: string): Plan {
  return JSON.parse(readFileSync(path, "utf8")) as Plan
}

/** Every resource of a type. */
export function resourcesOf(plan: Plan, type: string): readonly PlannedResource[] {
  return plan.predictedResources.filter((resource) => resource.type.toLowerCase() === type.toLowerCase())
}

/** The value at a dotted path; `undefined` where there is none. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner === null ? undefined : Reflect.get(Object(inner), key)), value)
}

/** The text at a dotted path; empty where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path)
  return typeof found === "string" ? found : ""
}

/** The list at a dotted path; empty where there is none. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path)
  return Array.isArray(found) ? found : []
}

/** Names of the resources of a type that do not hold to `isRight`. */
export function wrongOnes(
  plan: Plan,
  type: string,
  isRight: (resource: PlannedResource) => boolean,
): readonly string[] {
  return resourcesOf(plan, type)
    .filter((resource) => !isRight(resource))
    .map(({ name }) => name)
}

/** The app settings of the plan. */
export function appSettings(plan: Plan): Readonly<Record<string, string>> {
  const settings = resourcesOf(plan, "Microsoft.Web/sites/config").find(({ name }) =>
    name.endsWith("/appsettings"),
  )
  return Object.fromEntries(
    Object.entries(settings?.properties ?? {}).map(([name, value]) => [name, String(value)]),
  )
}

/** Group and subscription of an id, as it begins. */
export function groupOf(id: string): string {
  return /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+/i.exec(id)?.[0] ?? ""
}
