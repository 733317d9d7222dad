import type { Caller } from "./tokenAuthority.ts"
import type { Job } from "./job.ts"

/** The servers that have a firewall of their own. */
export type FirewallTarget = "keyvault" | "blob" | "deadletter" | "servicebus"

/**
 * `closed`: the server has a firewall and the caller's address is not admitted. `private`: public network
 * access is off and the caller did not come through a private endpoint.
 */
export type FirewallState = "open" | "closed" | "private"

/**
 * Who may do what, from where. One object a cloud, asked by every server on every request, so that a change
 * through the control endpoint works at once.
 *
 * A grant is an Azure action name, or an action name and where it holds, as `ACTION on SCOPE`. The scope is a queue,
 * a vault, `vault/secrets/name`, a container, or `container/prefix/`. It holds for what it names and for all below,
 * never for another name that begins like it.
 */
export interface AccessControl {
  firewall(target: FirewallTarget): FirewallState
  /** May `caller` do `action` on `scope`? `*` as a grant allows everything. */
  may(caller: Caller, action: string, scope: string): boolean
  /** Replaces the grants of the jobs named; others keep theirs. */
  setRoles(roles: Partial<Record<Job, readonly string[]>>): void
  setFirewall(states: Partial<Record<FirewallTarget, FirewallState>>): void
  roles(): Readonly<Record<string, readonly string[]>>
}

/** Starts with these grants and every firewall open. */
export function createAccessControl(initial: Partial<Record<Job, readonly string[]>>): AccessControl {
  const grants = new Map<Job, readonly string[]>()
  const firewalls = new Map<FirewallTarget, FirewallState>()
  const setRoles = (roles: Partial<Record<Job, readonly string[]>>) => {
    for (const [job, actions] of Object.entries(roles)) grants.set(job as Job, actions)
  }
  setRoles(initial)
  return {
    firewall: (target) => firewalls.get(target) ?? "open",
    may: (caller, action, scope) =>
      (grants.get(caller.job) ?? []).some((grant) => {
        if (grant === "*") return true
        const [granted, where] = grant.split(" on ", 2)
        return granted?.toLowerCase() === action.toLowerCase() && isWithin(scope, where)
      }),
    setRoles,
    setFirewall: (states) => {
      for (const [target, state] of Object.entries(states)) firewalls.set(target as FirewallTarget, state)
    },
    roles: () => Object.fromEntries(grants),
  }
}

function isWithin(scope: string, where: string | undefined): boolean {
  if (where === undefined || where === scope) return true
  return scope.startsWith(where.endsWith("/") ? where : `${where}/`)
}
