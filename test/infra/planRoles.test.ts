import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { listAssignments } from "../../infra/tools/policies/assignments.ts"
import { readPlan, resourcesOf } from "../../infra/tools/policies/plan.ts"
import { createAccessControl } from "../../local/access/accessControl.ts"
import { defaultRoles } from "../../local/cloud/defaultRoles.ts"
import { canaryOf, examplePeople, plannedJobs, planRoles } from "./planRoles.ts"

const names = {
  container: "keyvault-backups",
  stateContainer: "keyvault-backup-state",
  deadLetterContainer: "eventgrid-dead-letters",
  queue: "keyvault-changes",
  quarantineQueue: "keyvault-changes-quarantine",
}
const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
const planNamed = (name: string) => readPlan(listPlans().find((plan) => plan.name === name)!.snapshot)
const d9 = plannedJobs.filter((job) => job !== "eventgrid")
const ofApp = ["backup", "reconcile", "audit", "replay", "canary"] as const

/** What the local cloud gives by default, where the canary's secret is that of the plan. */
function localRoles(plan: ReturnType<typeof planNamed>) {
  const canarySecret = canaryOf(plan)
  return defaultRoles({ ...names, ...(canarySecret === undefined ? {} : { canarySecret }) })
}

describe("the rights of a plan are those that the local cloud enforces", () => {
  it.each(d9)("%s", (job) => {
    const plan = planNamed("newVault")
    expect(planRoles(plan, examplePeople)[job]).toEqual(localRoles(plan)[job].toSorted())
  })

  it.each(["existingVault", "hubDns", "locked", "minimal", "sovereign", "severalVaults"])(
    "for each job of the app, also in %s",
    (name) => {
      const plan = planNamed(name)
      const planned = planRoles(plan, examplePeople)
      const local = localRoles(plan)
      // A canary in a vault with access policies has its right there, as a policy of the whole vault.
      const withoutCanary = (grants: readonly string[]) =>
        name === "severalVaults" ? grants.filter((grant) => !grant.includes("setSecret")) : grants
      for (const job of ofApp) expect(planned[job]).toEqual(withoutCanary(local[job]).toSorted())
    },
  )

  it("Event Grid has what it needs, and of its documented role no more than deleting and reading its own container", () => {
    const plan = planNamed("newVault")
    const planned = planRoles(plan, examplePeople).eventgrid
    const local = localRoles(plan).eventgrid
    expect(local.filter((grant) => !planned.includes(grant))).toEqual([])
    expect(planned.filter((grant) => !local.includes(grant))).toEqual(
      ["delete", "move/action", "read"].map((word) => `${blobs}/${word} on eventgrid-dead-letters/`),
    )
  })

  it("can be given to a local cloud", () => {
    const access = createAccessControl(planRoles(planNamed("newVault"), examplePeople))
    const writer = { job: "backup" } as Parameters<typeof access.may>[0]
    const auditor = { job: "audit" } as Parameters<typeof access.may>[0]
    expect(access.may(writer, `${blobs}/add/action`, "keyvault-backups/v1/x.jwe.json")).toBe(true)
    expect(access.may(writer, `${blobs}/read`, "keyvault-backups/v1/x.jwe.json")).toBe(false)
    expect(access.may(auditor, `${blobs}/read`, "keyvault-backups/digest/d.json")).toBe(true)
    expect(access.may(auditor, `${blobs}/read`, "keyvault-backups/v1/x.jwe.json")).toBe(false)
  })
})

describe("with built-in roles", () => {
  const plan = planNamed("builtInRoles")
  const planned = planRoles(plan, examplePeople)
  const local = localRoles(plan)

  it.each(ofApp)("%s can do what it must", (job) => {
    const access = createAccessControl({ [job]: planned[job].flatMap(expandWildcard) })
    const caller = { job } as Parameters<typeof access.may>[0]
    const refused = local[job].filter((grant) => {
      const [action = "", scope = ""] = grant.split(" on ")
      // Management actions of a built-in role are not in the table of data actions.
      return (
        action !== "Microsoft.Storage/storageAccounts/blobServices/containers/read" &&
        !access.may(caller, action, scope)
      )
    })
    expect(refused).toEqual([])
  })

  it.each(ofApp)(
    "conditions leave %s the same blobs, but for moving, which these accounts have not",
    (job) => {
      const atBlobs = (grants: readonly string[]) =>
        grants.filter((grant) => /^list|\/blobs\//.test(grant) && !grant.includes("move/action")).toSorted()
      expect(atBlobs(planned[job])).toEqual(atBlobs(local[job]))
    },
  )

  it("makes no role", () => {
    expect(resourcesOf(plan, "Microsoft.Authorization/roleDefinitions")).toEqual([])
    expect(listAssignments(plan).length).toBeGreaterThan(20)
  })
})

// A wildcard of a built-in role stands for the actions that a job asks for.
function expandWildcard(grant: string): readonly string[] {
  if (grant === "Microsoft.KeyVault/vaults/*/read") {
    return ["Microsoft.KeyVault/vaults/certificates/read"]
  }
  const [action = "", scope] = grant.split(" on ")
  if (action !== "Microsoft.KeyVault/vaults/secrets/*") return [grant]
  const set = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
  return [scope === undefined ? set : `${set} on ${scope}`]
}
