import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan } from "../../infra/tools/policies/plan.ts"
import { findViolations } from "../../infra/tools/policies/violations.ts"

describe("every plan holds to every policy", () => {
  it.each(listPlans())("$name", ({ snapshot }) => {
    expect(findViolations(readPlan(snapshot))).toEqual([])
  })
})

describe("the plans", () => {
  it("cover what the deployment offers", () => {
    expect(listPlans().map(({ name }) => name)).toEqual([
      "builtInRoles",
      "existingVault",
      "hubDns",
      "locked",
      "minimal",
      "newVault",
      "severalVaults",
      "sovereign",
    ])
  })
})
