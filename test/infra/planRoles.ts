import { type Assignment, listAssignments } from "../../infra/tools/policies/assignments.ts"
import { type Plan, resourcesOf, textAt } from "../../infra/tools/policies/plan.ts"
import { backedUpVaults } from "../../infra/tools/policies/vaults.ts"
import type { Job } from "../../local/access/job.ts"

const containers = "Microsoft.Storage/storageAccounts/blobServices/containers"

/** Who stands for a job that belongs to people: their object ids in the plan. */
export interface PlanPeople {
  readonly verify: string
  readonly restore: string
}

/** Who `newVault` and `builtInRoles` give the jobs of people to. */
export const examplePeople: PlanPeople = {
  verify: "55555555-0000-4000-8000-000000000001",
  restore: "55555555-0000-4000-8000-000000000002",
}

/** The jobs whose rights a plan gives. `user` is a person of the local cloud alone. */
export const plannedJobs = [
  "backup",
  "reconcile",
  "audit",
  "replay",
  "canary",
  "verify",
  "restore",
  "eventgrid",
] as const satisfies readonly Job[]

/**
 * The rights that a plan gives each job, as grants of the local cloud (`ACTION on SCOPE`, see
 * `local/access/accessControl.ts`), sorted: they can be given to a local cloud by `PUT /roles`.
 *
 * A right at every vault that decides by roles is a grant without scope, as is one with a recovery key. A condition
 * becomes the scopes that it leaves, and `list` where it exempts listing.
 *
 * @throws Error for a condition of an unknown form.
 */
export function planRoles(
  plan: Plan,
  people: PlanPeople,
): Readonly<Record<(typeof plannedJobs)[number], readonly string[]>> {
  const assignments = listAssignments(plan)
  const vaults = vaultsByRoles(plan)
  const grantsOf = (who: string) => {
    const own = assignments.filter((given) => given.who === who)
    const everywhere = own.flatMap((given) => grantsOfAssignment(given))
    return [...new Set(everywhere.flatMap((grant) => withoutVault(grant, everywhere, vaults)))].toSorted()
  }
  return {
    backup: grantsOf("backup"),
    reconcile: grantsOf("reconcile"),
    audit: grantsOf("audit"),
    replay: grantsOf("replay"),
    canary: grantsOf("canary"),
    verify: grantsOf(people.verify),
    restore: grantsOf(people.restore),
    eventgrid: grantsOf("topic"),
  }
}

/** Vaults that decide by roles: all but those with access policies. */
function vaultsByRoles(plan: Plan): readonly string[] {
  const byPolicies = new Set(
    resourcesOf(plan, "Microsoft.KeyVault/vaults/accessPolicies").map(({ name }) => name.split("/")[0]),
  )
  return backedUpVaults(plan).filter((vault) => !byPolicies.has(vault))
}

/** A grant at each vault is a grant at all of them; one at some of them stays as it is. */
function withoutVault(grant: string, all: readonly string[], vaults: readonly string[]): readonly string[] {
  const [action = "", scope = ""] = grant.split(" on vault:")
  if (scope === "") return [grant]
  const isEverywhere = vaults.every((vault) => all.includes(`${action} on vault:${vault}`))
  return [isEverywhere ? action : `${action} on ${scope}`]
}

function grantsOfAssignment(given: Assignment): readonly string[] {
  const { scope, dataActions, actions } = given
  const [, vault, kind, object] = /\/vaults\/([^/]+)(?:\/(keys|secrets)\/([^/]+))?$/.exec(scope) ?? []
  if (vault !== undefined) {
    return dataActions.map((action) => {
      if (kind === "keys") return action
      return kind === "secrets" ? `${action} on ${vault}/secrets/${object}` : `${action} on vault:${vault}`
    })
  }
  const queue = /\/queues\/([^/]+)$/.exec(scope)?.[1]
  if (queue !== undefined) return dataActions.map((action) => `${action} on ${queue}`)
  const container = /\/containers\/([^/]+)$/.exec(scope)?.[1]
  if (container === undefined) return []
  return [
    ...actions.map((action) => `${action} on ${container}/`),
    ...limitedGrants(dataActions, container, given.condition),
  ]
}

interface Clause {
  readonly actions: readonly string[]
  readonly exemptsListing: boolean
  /** What comes after the container: `prefix/` or a name. */
  readonly paths: readonly string[]
}

/** The grants at a container that a condition leaves. */
function limitedGrants(
  dataActions: readonly string[],
  container: string,
  condition: string,
): readonly string[] {
  const clauses = parseCondition(condition)
  return dataActions.flatMap((action) => {
    const own = clauses.filter(({ actions }) => actions.includes(action))
    if (own.length === 0) return [`${action} on ${container}/`]
    const [first] = own
    const paths = (first?.paths ?? []).filter((path) => own.every((clause) => clause.paths.includes(path)))
    return [
      ...(own.every(({ exemptsListing }) => exemptsListing) ? [`list on ${container}/`] : []),
      ...paths.map((path) => `${action} on ${container}/${path}`),
    ]
  })
}

const path = `@Resource[${containers}/blobs:path]`
const never = `@Resource[${containers}:name] StringEquals 'NONE'`

/** Reads the forms of `infra/modules/access/conditions.bicep`: `((not these actions) OR (where))`, joined by AND. */
function parseCondition(condition: string): readonly Clause[] {
  if (condition === "") return []
  return condition.split(/(?<=\)\)) AND (?=\(\()/).map((text) => {
    const [, negated = "", where = ""] = /^\(\((.*)\) OR \((@.*)\)\)$/.exec(text) ?? []
    const listing = " AND NOT SubOperationMatches{'Blob.List'}"
    const exemptsListing = negated.includes(listing)
    const actions = negated
      .replace(listing, "")
      .split(" AND ")
      .map((part) => /^!\(ActionMatches\{'([\w./]+)'\}\)$/.exec(part)?.[1])
    const paths = where === never ? [] : where.split(" OR ").map(parsePath)
    if (actions.includes(undefined) || paths.includes(undefined)) throw new Error(`What is ${text}?`)
    return {
      actions: actions.filter((action) => action !== undefined),
      exemptsListing,
      paths: paths.filter((one) => one !== undefined),
    }
  })
}

function parsePath(text: string): string | undefined {
  if (!text.startsWith(path)) return undefined
  const [, prefix] = /^ StringLike '([\w-]+\/)\*'$/.exec(text.slice(path.length)) ?? []
  const [, name] = /^ StringEquals '([\w.-]+)'$/.exec(text.slice(path.length)) ?? []
  return prefix ?? name
}

/** `vault/secrets/name` of the canary of a plan, as the local cloud names it; `undefined` where there is none. */
export function canaryOf(plan: Plan): string | undefined {
  const settings = resourcesOf(plan, "Microsoft.Web/sites/config").find(({ name }) =>
    name.endsWith("/appsettings"),
  )
  const url = URL.parse(textAt(settings, "properties.BACKUP_CANARY_SECRET"))
  return url ? `${url.hostname.split(".")[0]}${url.pathname}` : undefined
}
