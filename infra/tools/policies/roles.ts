import { type Assignment, listAssignments } from "./assignments.ts"
import { builtInRoles } from "./builtInRoles.ts"
import { groupOf, listAt, type Plan, type Policy, resourcesOf, textAt, wrongOnes } from "./plan.ts"
import { containerOf } from "./whichAccount.ts"

const definition = "Microsoft.Authorization/roleDefinitions"
const assignment = "Microsoft.Authorization/roleAssignments"
const appJobs = new Set(["host", "backup", "reconcile", "audit", "replay", "canary"])

const shown = ({ who, scope, roleId }: Assignment) =>
  `${who} at ${scope.split("/").at(-1)} by ${builtInRoles[roleId]?.name ?? roleId}`
const actionsOf = (resource: unknown, kind: string) =>
  listAt(resource, "properties.permissions").flatMap((permission) => listAt(permission, kind).map(String))
const broken = (plan: Plan, isRight: (given: Assignment) => boolean) =>
  listAssignments(plan)
    .filter((given) => !isRight(given))
    .map(shown)
const isAtBackups = ({ scope }: Assignment) => scope.endsWith(`/containers/${containerOf.backups}`)

/** The rules of rights. */
export const rolePolicies = {
  "assignments-below-their-group": (plan) =>
    broken(plan, ({ scope }) => /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/.+/.test(scope)),
  "assignments-are-single": (plan) => {
    const ids = listAssignments(plan).map(({ id }) => id)
    return ids.filter((id, index) => ids.indexOf(id) !== index)
  },
  "principal-types-are-told": (plan) =>
    wrongOnes(plan, assignment, ({ properties }) =>
      ["ServicePrincipal", "Group", "User"].includes(String(properties?.["principalType"])),
    ),
  // An unknown id is Owner, Contributor or another role of management, or a custom role of another place.
  "roles-are-known": (plan) =>
    broken(plan, ({ isCustom, roleId }) => isCustom || builtInRoles[roleId] !== undefined),
  "custom-roles-name-each-action": (plan) =>
    wrongOnes(plan, definition, (resource) =>
      [...actionsOf(resource, "actions"), ...actionsOf(resource, "dataActions")].every(
        (action) => !action.includes("*"),
      ),
    ),
  "custom-roles-take-nothing-away": (plan) =>
    wrongOnes(plan, definition, (resource) =>
      actionsOf(resource, "dataActions").every((action) => !/delete|purge|move|runAsSuperUser/i.test(action)),
    ),
  "custom-roles-manage-nothing": (plan) =>
    wrongOnes(plan, definition, (resource) =>
      actionsOf(resource, "actions").every(
        (action) => action === "Microsoft.Storage/storageAccounts/blobServices/containers/read",
      ),
    ),
  "custom-roles-hold-in-one-group": (plan) =>
    wrongOnes(
      plan,
      definition,
      (resource) =>
        listAt(resource, "properties.assignableScopes").map(String).join() === groupOf(resource.id),
    ),
  "custom-roles-are-told-apart": (plan) => {
    const names = resourcesOf(plan, definition).map((resource) => textAt(resource, "properties.roleName"))
    return names.filter((name, index) => names.indexOf(name) !== index)
  },
  // add makes new blobs; it cannot read, list, overwrite or delete.
  "writer-adds-and-no-more": (plan) =>
    broken(
      plan,
      (given) =>
        given.who !== "backup" ||
        !isAtBackups(given) ||
        given.dataActions.join() ===
          "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action" ||
        isLimitedTo(given.condition, ["read", "write", "delete"]),
    ),
  "nobody-changes-backups": (plan) =>
    broken(
      plan,
      (given) =>
        !isAtBackups(given) ||
        given.who === "backup" ||
        !given.dataActions.some((action) => /blobs\/(write|delete|\*)$/.test(action)) ||
        isLimitedTo(given.condition, ["write", "delete"]),
    ),
  "jobs-read-what-is-theirs": (plan) =>
    broken(
      plan,
      (given) =>
        !isAtBackups(given) ||
        !appJobs.has(given.who) ||
        given.who === "backup" ||
        given.condition.includes("NOT SubOperationMatches{'Blob.List'}"),
    ),
  "conditions-have-their-version": (plan) =>
    wrongOnes(
      plan,
      assignment,
      ({ properties }) => !properties?.["condition"] || properties["conditionVersion"] === "2.0",
    ),
  // Who writes backups, or runs in the app at all, cannot open them.
  "app-opens-nothing": (plan) =>
    broken(
      plan,
      ({ who, scope, dataActions }) =>
        !appJobs.has(who) ||
        !dataActions.some((action) => /keys\/(unwrap|decrypt)\/action$/.test(action)) ||
        scope.endsWith("/keys/backup-digest"),
    ),
  "keys-one-by-one": (plan) =>
    broken(
      plan,
      ({ scope, dataActions }) =>
        !dataActions.some((action) => /keys\/(unwrap|sign|decrypt)\/action$/.test(action)) ||
        /\/vaults\/[^/]+\/keys\/[^/]+$/.test(scope),
    ),
  "canary-sets-one-secret": (plan) =>
    broken(
      plan,
      ({ who, scope, dataActions }) =>
        who !== "canary" ||
        !dataActions.some((action) => action.includes("/vaults/")) ||
        scope.endsWith("/secrets/kvbackup-canary"),
    ),
  "host-stays-at-home": (plan) =>
    broken(
      plan,
      ({ who, scope }) =>
        who !== "host" || /\/storageAccounts\/stkvbr[^/]+$|\/components\/[^/]+$/.test(scope),
    ),
  "topic-sends-and-leaves": (plan) =>
    broken(
      plan,
      ({ who, scope, roleId }) =>
        who !== "topic" ||
        (builtInRoles[roleId]?.name === "Azure Service Bus Data Sender" &&
          scope.endsWith("/queues/keyvault-changes")) ||
        (builtInRoles[roleId]?.name === "Storage Blob Data Contributor" &&
          scope.endsWith(`/containers/${containerOf.deadLetters}`)),
    ),
} as const satisfies Record<string, Policy>

/** Does a condition forbid these actions altogether? */
function isLimitedTo(condition: string, actions: readonly string[]): boolean {
  return (
    condition.includes("containers:name] StringEquals 'NONE'") &&
    actions.every((action) =>
      condition.includes(
        `!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}'})`,
      ),
    )
  )
}
