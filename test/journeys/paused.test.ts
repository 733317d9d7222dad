import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

interface StatusDocument {
  readonly vaults: readonly { readonly protectedUpTo: string | null }[]
  readonly queues: { readonly waiting: number; readonly deadLettered: number }
}

let keep: string
let journey: Journey

beforeAll(async () => {
  keep = await mkdtemp(join(tmpdir(), "paused-"))
})
afterAll(async () => {
  await journey?.stop()
  await rm(keep, { recursive: true, force: true })
})

const registered = () => journey.cloud.host.functions.map(({ name }) => name)

describe("BACKUP_PAUSED", () => {
  let id: string

  it("leaves changes where they are: no trigger, no replay, and a line in the log", async () => {
    journey = await startJourney({
      keep,
      runsTimers: false,
      settings: { BACKUP_PAUSED: "true", BACKUP_AUTO_REPLAY: "true" },
    })
    expect(registered()).not.toContain("backupVersion")
    expect(registered()).not.toContain("replayDeadLetters")
    expect(registered()).toEqual(expect.arrayContaining(["health", "sendCanary", "watchBacklog"]))
    expect(journey.lines.filter((line) => line.includes('"event":"start.paused"'))).toHaveLength(1)
    id = await journey.set("while-paused", "x")
    await expect.poll(async () => (await journey.peek("changes")).length).toBe(1)
  })

  it("is seen in the status: the change waits, and the vault is protected up to it and no further", async () => {
    const { exitCode, json } = await runCli(journey.directory, "status", "--json")
    const { vaults, queues } = json<StatusDocument>()
    expect(queues).toMatchObject({ waiting: 1, deadLettered: 0 })
    const { created } = await changeOf()
    const upTo = Date.parse(vaults[0]?.protectedUpTo ?? "")
    expect(Math.abs(upTo - created)).toBeLessThan(2000)
    // Waiting is no fault as such; how long it waits is what watchBacklog alerts on.
    expect(exitCode).toBe(0)
    await journey.control("POST /functions/watchBacklog")
    const line = journey.lines.findLast((each) => each.includes("backlog.oldestUnprotected"))
    expect(line).toContain(id)
  })

  it("makes the canary old: none is sent, and its age is told with every run", async () => {
    await journey.control("POST /functions/sendCanary")
    const lines = journey.lines.filter((line) => line.includes('"event":"canary.'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('"event":"canary.age"')
    expect(lines[0]).toContain('"paused":true')
    await expect(journey.secrets.getSecret("kvbackup-canary")).rejects.toMatchObject({ statusCode: 404 })
  })

  it("loses nothing: whatever changed meanwhile is stored once it is over", async () => {
    await journey.stop()
    journey = await startJourney({ keep, runsTimers: false })
    expect(registered()).toContain("backupVersion")
    await journey.settled()
    expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }])
    expect((await journey.metadata(id))["attempt"]).toBe("1")
    const { exitCode } = await runCli(journey.directory, "status")
    expect(exitCode).toBe(0)
  })
})

async function changeOf() {
  const { properties } = await journey.secrets.getSecret("while-paused")
  return { created: properties.createdOn?.getTime() ?? 0 }
}
