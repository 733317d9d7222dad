import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan, resourcesOf, textAt } from "../../infra/tools/policies/plan.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const page = read("docs/deploy.md")
const main = read("infra/main.bicep")
const azdParameters = read("infra/main.bicepparam")

/** The rows of the table of parameters: name, variable of azd. */
const [, table = ""] = /\n## Parameters\n([\s\S]*?)(?:\n## |\n### )/.exec(page) ?? []
const rows = [...table.matchAll(/^\| `(\w+)` +\| (?:`(\w+)`)? *\| /gm)].map(([, name = "", variable]) => ({
  name,
  variable,
}))

describe("docs/deploy.md", () => {
  it("tells every parameter of main.bicep, and no other", () => {
    const declared = [...main.matchAll(/^param (\w+) /gm)].map(([, name]) => name)
    expect(rows.map(({ name }) => name).toSorted()).toEqual(declared.toSorted())
  })

  it("tells every variable that azd sets, with the parameter that takes it", () => {
    const taken = [...azdParameters.matchAll(/^param (\w+) = .*readEnvironmentVariable\('(\w+)'/gm)]
    expect(rows.filter(({ variable }) => variable !== undefined)).toEqual(
      expect.arrayContaining(taken.map(([, name, variable]) => ({ name, variable }))),
    )
    expect(rows.filter(({ variable }) => variable !== undefined)).toHaveLength(taken.length)
  })

  it("names scripts and plans that are there, and none that is not", () => {
    const named = [...page.matchAll(/`?(infra\/[\w/.]+\.(?:sh|bicepparam|csproj))/g)].map(
      ([, path]) => path ?? "",
    )
    expect(named.length).toBeGreaterThan(3)
    for (const path of named) expect(read(path).length).toBeGreaterThan(0)
  })

  it("counts the private endpoints of a small deployment as the plan has them", () => {
    const endpoints = resourcesOf(planNamed("newVault"), "Microsoft.Network/privateEndpoints")
    expect(page).toContain(`private endpoints (${endpoints.length}, `)
  })

  it("shows a condition as a plan has it", () => {
    const [, shown = ""] = /```text\n(\(\([\s\S]*?)\n```/.exec(page) ?? []
    const conditions = resourcesOf(planNamed("newVault"), "Microsoft.Authorization/roleAssignments").map(
      (assignment) => textAt(assignment, "properties.condition"),
    )
    expect(conditions).toContain(shown.replaceAll(/\n\s*/g, " "))
  })
})

function planNamed(name: string) {
  return readPlan(listPlans().find((plan) => plan.name === name)!.snapshot)
}
