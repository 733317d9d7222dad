import { describe, expect, it } from "vitest"
import { formatPlan, parsePlan } from "../../../shared/deadLetter/planFile.ts"
import { planReplay } from "../../../shared/deadLetter/runReplay.ts"
import { everything } from "../../../shared/deadLetter/replayFilter.ts"
import { aReplayWorld } from "../../support/memoryReplay.ts"

async function aPlan() {
  const world = aReplayWorld()
  world.add({ body: "garbage" })
  world.add({ body: "{}", source: "event-grid" })
  const filter = {
    ...everything,
    reasons: ["ERR_EVENT_MALFORMED"],
    before: new Date("2026-03-02T00:00:00.000Z"),
  }
  return planReplay(world.parts, { filter })
}

describe("parsePlan", () => {
  it("reads back what formatPlan wrote", async () => {
    const plan = await aPlan()
    expect(plan.groups).toHaveLength(2)
    expect(parsePlan(JSON.parse(formatPlan(plan)))).toEqual(plan)
  })

  it.each([
    { name: "a count", alter: { groups: [{ count: 5 }] } },
    { name: "an action", alter: { groups: [{ action: "send" }] } },
    { name: "the filter", alter: { filter: { from: ["quarantine"] } } },
  ])("refuses a plan in which $name was altered", async ({ alter }) => {
    const json = JSON.parse(formatPlan(await aPlan())) as { groups: object[]; filter: object }
    Object.assign(json.groups[0] ?? {}, alter.groups?.[0])
    Object.assign(json.filter, alter.filter)
    expect(() => parsePlan(json)).toThrow(/altered/)
  })

  it("refuses what is no plan, and names a newer format", () => {
    for (const json of [undefined, null, 7, {}, { format: "keyvault-replay-plan/1" }]) {
      expect(() => parsePlan(json)).toThrow(expect.objectContaining({ code: "ERR_CONFIG_INVALID" }))
    }
    expect(() => parsePlan({ format: "keyvault-replay-plan/2" })).toThrow(
      expect.objectContaining({ code: "ERR_FORMAT_NEWER" }),
    )
  })
})
