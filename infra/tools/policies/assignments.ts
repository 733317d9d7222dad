import { builtInRoles } from "./builtInRoles.ts"
import { at, listAt, type Plan, resourcesOf, textAt } from "./plan.ts"

/** One right that the plan gives: who, what, where, on which condition. */
export interface Assignment {
  readonly id: string
  /** What the right holds for: the id up to the assignment. */
  readonly scope: string
  /** A job of the app, `host`, `topic NAME`, or the object id of a person or another sender. */
  readonly who: string
  /** A custom role of this plan, or a built-in one. */
  readonly roleId: string
  readonly isCustom: boolean
  readonly actions: readonly string[]
  readonly dataActions: readonly string[]
  readonly condition: string
}

/** Every role assignment of the plan, with the actions of its role. An unknown role has none, and is no custom one. */
export function listAssignments(plan: Plan): readonly Assignment[] {
  const definitions = resourcesOf(plan, "Microsoft.Authorization/roleDefinitions")
  return resourcesOf(plan, "Microsoft.Authorization/roleAssignments").map((resource) => {
    const [scope = ""] = resource.id.split("/providers/Microsoft.Authorization/roleAssignments/")
    const roleId = textAt(resource, "properties.roleDefinitionId").split("/").at(-1) ?? ""
    const definition = definitions.find(({ name, id }) => name === roleId && isWithin(scope, id))
    const [permissions] = listAt(definition, "properties.permissions")
    return {
      id: resource.id,
      scope,
      who: principalOf(textAt(resource, "properties.principalId")),
      roleId,
      isCustom: definition !== undefined,
      actions: listAt(permissions, "actions").map(String),
      dataActions: definition
        ? listAt(permissions, "dataActions").map(String)
        : (builtInRoles[roleId]?.dataActions ?? []),
      condition: String(at(resource, "properties.condition") ?? ""),
    }
  })
}

/** A custom role holds in the group it is defined in, and nowhere else. */
function isWithin(scope: string, definitionId: string): boolean {
  const [group = ""] = definitionId.split("/providers/Microsoft.Authorization/roleDefinitions/")
  return scope.toLowerCase().startsWith(`${group.toLowerCase()}/`)
}

/** Whose id an expression gives: an output of the identities, or of a system topic. */
export function principalOf(principalId: string): string {
  const job = /\.outputs\.identities\.value\.(\w+)\.principalId\]$/.exec(principalId)?.[1]
  if (job !== undefined) return job
  if (/systemTopics.*\.outputs\.principalId\.value\]$/.test(principalId)) return "topic"
  return principalId
}
