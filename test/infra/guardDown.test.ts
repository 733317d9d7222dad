import { execFile } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan, textAt } from "../../infra/tools/policies/plan.ts"

const script = join(import.meta.dirname, "../../infra/scripts/guardDown.sh")

function guard(foreignGroups?: string): Promise<{ readonly code: unknown; readonly err: string }> {
  const { PATH = "" } = process.env
  const env = { PATH, ...(foreignGroups === undefined ? {} : { FOREIGN_RESOURCE_GROUPS: foreignGroups }) }
  return new Promise((resolve) => {
    execFile(script, { env }, (error, _stdout, err) => resolve({ code: error ? error.code : 0, err }))
  })
}

const foreignGroupsOf = (name: string) =>
  textAt(
    readPlan(listPlans().find((plan) => plan.name === name)!.snapshot),
    "outputs.FOREIGN_RESOURCE_GROUPS",
  )

describe("before azd down", () => {
  it("the group of a vault that was there before is named, and nothing is deleted", async () => {
    const { code, err } = await guard(foreignGroupsOf("existingVault"))
    expect(code).toBe(1)
    expect(err).toContain("22222222-2222-4222-8222-222222222222/rg-payments\n")
    expect(err).toContain("33333333-3333-4333-8333-333333333333/rg-security\n")
  })

  it("the zones of a hub are named", async () => {
    expect((await guard(foreignGroupsOf("hubDns"))).err).toContain("/rg-hub-dns\n")
  })

  it("each group is named once", () => {
    expect(foreignGroupsOf("severalVaults")).toBe("11111111-1111-4111-8111-111111111111/rg-team")
  })

  it("a deployment that is alone may go", async () => {
    expect(foreignGroupsOf("newVault")).toBe("")
    expect(await guard("")).toEqual({ code: 0, err: "" })
  })

  it("what is not known is not risked", async () => {
    expect((await guard()).code).toBe(1)
  })
})
