import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { listAt, readPlan, resourcesOf, textAt } from "../../infra/tools/policies/plan.ts"

const plan = readPlan(listPlans().find(({ name }) => name === "newVault")!.snapshot)
const runbook = readFileSync(join(import.meta.dirname, "../../docs/runbook.md"), "utf8")

/** The queries over logs of the runbook, by the name of their rule. */
const written = [
  ...runbook.matchAll(
    /^```kusto\n\/\/ ([\w ]+), log(?:: fires on no row within (\d+) min)?\n([\s\S]*?)\n```$/gm,
  ),
].map(([, name = "", minutes, query = ""]) => ({ name, minutes, query: query.replaceAll(/\s*\n\s*/g, " ") }))

function deployed(name: string): string {
  const rule = resourcesOf(plan, "Microsoft.Insights/scheduledQueryRules").find((resource) =>
    resource.name.startsWith(`${name.replaceAll(" ", "-")}-kvb-`),
  )
  return textAt(listAt(rule, "properties.criteria.allOf")[0], "query")
}

describe("the alerts of a plan ask what the runbook asks", () => {
  it("reads the runbook", () => {
    expect(written.length).toBeGreaterThan(12)
  })

  it.each(written)("$name", ({ name, minutes, query }) => {
    const silence = ` | where TimeGenerated > ago(${minutes}m) | summarize rows = count() | where rows == 0`
    expect(deployed(name)).toBe(minutes === undefined ? query : `${query}${silence}`)
  })
})
