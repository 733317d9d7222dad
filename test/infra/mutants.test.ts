import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan } from "../../infra/tools/policies/plan.ts"
import { findViolations, policies, type PolicyName } from "../../infra/tools/policies/violations.ts"
import { appMutants } from "./mutants/appMutants.ts"
import { eventMutants } from "./mutants/eventMutants.ts"
import { roleMutants } from "./mutants/roleMutants.ts"
import { serviceMutants } from "./mutants/serviceMutants.ts"
import { storageMutants } from "./mutants/storageMutants.ts"

const mutants = [...serviceMutants, ...storageMutants, ...eventMutants, ...roleMutants, ...appMutants]

const pathOf = (name: string) => listPlans().find((plan) => plan.name === name)!.snapshot

describe("a plan that is not right is named for what is wrong with it, and for nothing else", () => {
  it.each(mutants)("$breaks: $change", ({ breaks, mutate, plan = "newVault" }) => {
    const mutant = readPlan(pathOf(plan))
    mutate(mutant)
    const broken = new Set(findViolations(mutant).map(({ policy }) => policy))
    expect([...broken]).toEqual([breaks])
  })

  it("is tried for every policy", () => {
    const tried = new Set(mutants.map(({ breaks }) => breaks))
    expect(Object.keys(policies).filter((name) => !tried.has(name as PolicyName))).toEqual([])
  })
})
