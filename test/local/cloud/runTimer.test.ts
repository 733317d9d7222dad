import { copyFile, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type Journey, startJourney } from "../../support/startJourney.ts"
import { bundleFixture, type FixtureApp, withoutQueues } from "../functionsHost/fixtureHost.ts"

let app: FixtureApp
let journey: Journey
beforeAll(async () => {
  app = await bundleFixture()
  const folder = join(app.directory, "dist", "functions")
  await mkdir(folder, { recursive: true })
  await copyFile(join(app.directory, "index.cjs"), join(folder, "index.cjs"))
  journey = await startJourney({
    appDirectory: app.directory,
    settings: { ...withoutQueues, "AzureWebJobs.everySecond.Disabled": "true" },
  })
})
afterAll(async () => {
  await journey?.stop()
  await app?.remove()
})

const runs = () => journey.lines.filter((line) => line.includes('SAW {"timer"')).length

describe("POST /functions/<name>", () => {
  it("runs a timer function now, and answers when it has run", async () => {
    expect(runs()).toBe(0)
    expect(await journey.control("POST /functions/tick")).toBeUndefined()
    await vi.waitFor(() => expect(runs()).toBe(1))
  })

  it.each(["echo", "tack"])(
    "does not run %s, which is no timer function, and names those there are",
    async (name) => {
      await expect(journey.control(`POST /functions/${name}`)).rejects.toThrow(/404 .*there are: .*tick/)
      expect(runs()).toBe(1)
    },
  )

  it("tells why it cannot run one", async () => {
    await journey.control("POST /host", { action: "kill" })
    await expect(journey.control("POST /functions/tick")).rejects.toThrow(/500 .*not running/)
  })
})
