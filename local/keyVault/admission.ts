import type { AccessControl } from "../access/accessControl.ts"
import type { Caller } from "../access/tokenAuthority.ts"
import { type MatchedRoute, vaultActions } from "./routes.ts"
import { forbidden } from "./vaultError.ts"
import type { ChangedVault } from "./vaultChange.ts"

export type PermissionModel = "rbac" | "accessPolicy"

const location = "westeurope"

/**
 * Lets a caller in by where it comes from. Asked before roles, as the service does, so that a refusal says
 * nothing about roles.
 *
 * @throws VaultError 403 ForbiddenByFirewall, ForbiddenByConnection.
 */
export function requireNetwork(
  access: AccessControl,
  vault: ChangedVault,
  caller: Caller,
  address: string | undefined,
): void {
  const state = access.firewall("keyvault")
  if (state === "open") return
  const tail = [`Caller: ${describe(caller)}`, `Vault: ${vault.name};location=${location}`]
  if (state === "closed") {
    const head = [
      "Client address is not authorized and caller is not a trusted service.",
      `Client address: ${address ?? "unknown"}`,
    ]
    throw forbidden("ForbiddenByFirewall", [...head, ...tail].join("\r\n"))
  }
  const head =
    "Public network access is disabled and request is not from a trusted service nor via an approved private link."
  throw forbidden("ForbiddenByConnection", [head, ...tail].join("\r\n"))
}

/**
 * Lets a caller do what the route does.
 *
 * @throws VaultError 403: ForbiddenByRbac; or where access policies decide, AccessDenied for a caller without
 *   any permission in the vault and ForbiddenByPolicy for one that lacks just this.
 */
export function requireRole(
  access: AccessControl,
  model: PermissionModel,
  vault: ChangedVault,
  caller: Caller,
  { route, name }: MatchedRoute,
): void {
  const collection = route.permission.split(" ", 1)[0]
  const scope = name === "" ? vault.name : `${vault.name}/${collection}/${name.toLowerCase()}`
  if (access.may(caller, route.action, scope)) return
  if (model === "accessPolicy") {
    const hasAny = vaultActions.some((action) => access.may(caller, action, vault.name))
    const message =
      `The user, group or application '${describe(caller)}' does not have ${route.permission} permission on ` +
      `key vault '${vault.name};location=${location}'. For help resolving this issue, please see ` +
      "https://go.microsoft.com/fwlink/?linkid=2125287"
    throw forbidden(hasAny ? "ForbiddenByPolicy" : "AccessDenied", message)
  }
  const lines = [
    "Caller is not authorized to perform action on resource.",
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
    `Caller: ${describe(caller)}`,
    `Action: '${route.action}'`,
    `Resource: '${vault.resourceId.toLowerCase()}${name === "" ? "" : `/${collection}/${name}`}'`,
    "Assignment: (not found)",
    "DenyAssignmentId: null",
    "DecisionReason: null",
    `Vault: ${vault.name};location=${location}`,
  ]
  throw forbidden("ForbiddenByRbac", lines.join("\r\n"))
}

function describe({ clientId, objectId, tenantId }: Caller): string {
  return `appid=${clientId};oid=${objectId};iss=https://sts.windows.net/${tenantId}/`
}
