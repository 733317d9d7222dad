import { at, resourcesOf, type Plan } from "../../../infra/tools/policies/plan.ts"
import { one, set, type Mutant } from "./mutant.ts"
import { bus, vault, role, grant } from "./resourceTypes.ts"

const owner =
  "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
const builtIn = (id: string) => `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${id}`
const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

const grantOf = (plan: Plan, job: string, scope: string) =>
  resourcesOf(plan, grant).find(
    ({ id, properties }) =>
      String(properties?.["principalId"]).includes(`.value.${job}.`) &&
      (id.split("/providers/Microsoft.Authorization/")[0] ?? "").endsWith(scope),
  )!
const roleNamed = (plan: Plan, words: string) =>
  resourcesOf(plan, role).find(({ properties }) => String(properties?.["roleName"]).includes(words))!

/** Gives an identity one more right, from a role that is there or built in. */
function give(plan: Plan, job: string, scope: string, roleDefinitionId: string): void {
  const name = `00000000-0000-4000-8000-00000000000${plan.predictedResources.length % 10}`
  const { properties } = grantOf(plan, job, "")
  plan.predictedResources.push({
    id: `${scope}/providers/${grant}/${name}`,
    type: grant,
    name,
    properties: {
      principalId: properties?.["principalId"],
      principalType: "ServicePrincipal",
      roleDefinitionId,
    },
  })
}

export const roleMutants: readonly Mutant[] = [
  {
    breaks: "assignments-below-their-group",
    change: "a right for the whole group",
    mutate: (plan) => {
      const given = grantOf(plan, "reconcile", "/queues/keyvault-changes")
      given.id = given.id.replace(
        /\/providers\/Microsoft\.ServiceBus\/.*(?=\/providers\/Microsoft\.Authorization)/,
        "",
      )
      set(given, "properties.roleDefinitionId", builtIn("69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"))
    },
  },
  {
    breaks: "assignments-are-single",
    change: "one assignment twice",
    mutate: (plan) => plan.predictedResources.push(structuredClone(one(plan, grant))),
  },
  {
    breaks: "principal-types-are-told",
    change: "the kind of a principal is not told",
    mutate: (plan) =>
      set(grantOf(plan, "backup", "/queues/keyvault-changes"), "properties.principalType", undefined),
  },
  {
    breaks: "roles-are-known",
    change: "Owner",
    mutate: (plan) =>
      set(grantOf(plan, "backup", "/queues/keyvault-changes"), "properties.roleDefinitionId", owner),
  },
  {
    breaks: "roles-are-known",
    change: "a vault's role is defined in another group than the vault",
    plan: "existingVault",
    mutate: (plan) =>
      set(
        resourcesOf(plan, grant).find(({ id }) => id.includes("/vaults/kv-elsewhere/"))!,
        "properties.roleDefinitionId",
        roleNamed(plan, "read at containers").id,
      ),
  },
  {
    breaks: "custom-roles-name-each-action",
    change: "a wildcard",
    mutate: (plan) =>
      set(roleNamed(plan, "verify at vaults"), "properties.permissions.0.dataActions", [
        "Microsoft.KeyVault/vaults/secrets/*",
      ]),
  },
  {
    breaks: "custom-roles-take-nothing-away",
    change: "restore may delete",
    mutate: (plan) =>
      (at(roleNamed(plan, "restore at vaults"), "properties.permissions.0.dataActions") as string[]).push(
        "Microsoft.KeyVault/vaults/secrets/delete",
      ),
  },
  {
    breaks: "custom-roles-manage-nothing",
    change: "C44 the worker may change the service's properties",
    mutate: (plan) =>
      set(roleNamed(plan, "add at containers"), "properties.permissions.0.actions", [
        "Microsoft.Storage/storageAccounts/blobServices/write",
      ]),
  },
  {
    breaks: "custom-roles-hold-in-one-group",
    change: "a role for the whole subscription",
    mutate: (plan) =>
      set(roleNamed(plan, "add at containers"), "properties.assignableScopes", [
        "/subscriptions/11111111-1111-4111-8111-111111111111",
      ]),
  },
  {
    breaks: "custom-roles-are-told-apart",
    change: "two roles of one name, which a tenant refuses",
    mutate: (plan) =>
      set(
        roleNamed(plan, "add at containers"),
        "properties.roleName",
        roleNamed(plan, "read at containers").properties?.["roleName"],
      ),
  },
  {
    breaks: "writer-adds-and-no-more",
    change: "the writer may read",
    mutate: (plan) =>
      set(roleNamed(plan, "add at containers"), "properties.permissions.0.dataActions", [
        `${blobs}/add/action`,
        `${blobs}/read`,
      ]),
  },
  {
    breaks: "writer-adds-and-no-more",
    change: "the writer's built-in role has no condition",
    plan: "builtInRoles",
    mutate: (plan) =>
      set(grantOf(plan, "backup", "/containers/keyvault-backups"), "properties.condition", null),
  },
  {
    breaks: "nobody-changes-backups",
    change: "audit may overwrite",
    mutate: (plan) =>
      set(roleNamed(plan, "ledger at containers"), "properties.permissions.0.dataActions", [
        `${blobs}/read`,
        `${blobs}/write`,
      ]),
  },
  {
    breaks: "jobs-read-what-is-theirs",
    change: "the canary reads records",
    mutate: (plan) =>
      set(grantOf(plan, "canary", "/containers/keyvault-backups"), "properties.condition", null),
  },
  {
    breaks: "conditions-have-their-version",
    change: "a condition without version",
    mutate: (plan) =>
      set(grantOf(plan, "audit", "/containers/keyvault-backups"), "properties.conditionVersion", null),
  },
  {
    breaks: "app-opens-nothing",
    change: "the writer may open what it wrote",
    mutate: (plan) =>
      give(
        plan,
        "backup",
        `${one(plan, `${vault}/keys`, "recovery").id}`,
        roleNamed(plan, "open with keys").id,
      ),
  },
  {
    breaks: "keys-one-by-one",
    change: "audit signs with every key of the vault",
    mutate: (plan) =>
      give(plan, "audit", one(plan, vault, "kv-kvbr").id, roleNamed(plan, "sign with keys").id),
  },
  {
    breaks: "canary-sets-one-secret",
    change: "the canary sets every secret",
    mutate: (plan) =>
      give(plan, "canary", one(plan, vault, "kv-new").id, roleNamed(plan, "canary at vaults").id),
  },
  {
    breaks: "host-stays-at-home",
    change: "the host may receive changes",
    mutate: (plan) =>
      give(plan, "host", one(plan, `${bus}/queues`).id, roleNamed(plan, "receive at queues").id),
  },
  {
    breaks: "topic-sends-and-leaves",
    change: "Event Grid sends to quarantine",
    mutate: (plan) => {
      const given = resourcesOf(plan, grant).find(
        ({ id, properties }) =>
          id.includes("/queues/keyvault-changes/") &&
          String(properties?.["principalId"]).includes("systemTopics"),
      )!
      given.id = given.id.replace("/keyvault-changes/", "/keyvault-changes-quarantine/")
    },
  },
]
