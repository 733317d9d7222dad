import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"
import { createProgressLine, formatProgress } from "../../cli/progressLine.ts"
import { exitCodeOf } from "../../cli/replay.ts"
import { formatHistory, formatReplayPlan, formatReplayResult } from "../../cli/replayReport.ts"
import type { ReplayResult } from "../../shared/deadLetter/executeReplay.ts"
import { formatPlan } from "../../shared/deadLetter/planFile.ts"
import { everything } from "../../shared/deadLetter/replayFilter.ts"
import { planReplay } from "../../shared/deadLetter/runReplay.ts"
import { anEventGridEvent, anObject } from "../support/builders.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { aReplayWorld } from "../support/memoryReplay.ts"

const folder = mkdtempSync(join(tmpdir(), "kvbackup-replay-"))
afterAll(() => rmSync(folder, { recursive: true }))

async function aPlan() {
  const world = aReplayWorld()
  await world.protect(anObject({ version: 3 }))
  const event = (version: number) => JSON.stringify(anEventGridEvent(anObject({ version })))
  world.add({ body: event(1), reason: "TTLExpiredException", at: new Date("2026-03-01T09:00:00.000Z") })
  world.add({ body: event(2), reason: "TTLExpiredException" })
  world.add({ body: event(3), reason: "TTLExpiredException" })
  world.add({ body: "garbage", source: "quarantine" })
  return planReplay(world.parts, { filter: everything })
}
const result: ReplayResult = {
  plan: "ab".repeat(32),
  run: "20260301T120000Z-0011aabb",
  sent: 20,
  removed: 3,
  quarantined: 1,
  unconfirmed: 0,
  refused: 0,
  vanished: 0,
  undone: 0,
  interrupted: false,
}

describe("formatReplayPlan", () => {
  it("tells of each group what would be done, since when, and one of its messages", async () => {
    const plan = await aPlan()
    expect(formatReplayPlan(plan, undefined)).toBe(`      2  dead-letter  TTLExpiredException
         send again: not protected
         2026-03-01T09:00:00.000Z to 2026-03-01T11:00:00.000Z
         such as https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001
      1  dead-letter  TTLExpiredException
         remove: already protected
         at 2026-03-01T11:00:00.000Z
         such as https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000003
      1  quarantine   ERR_EVENT_MALFORMED
         leave: only a person can decide
         at 2026-03-01T11:00:00.000Z
         such as quarantine 4

4 messages: 2 to send again, 1 to remove, 0 to quarantine, 1 to leave
plan ${plan.digest}
Nothing was done. To do it: kvbackup replay --execute
`)
    expect(formatReplayPlan(plan, "plan.json")).toContain(
      `plan ${plan.digest}, written to plan.json\nNothing was done. To do it: kvbackup replay --plan plan.json --execute\n`,
    )
    expect(formatReplayPlan({ ...plan, groups: [] }, undefined)).toBe(
      "There is nothing to replay: no dead letter is selected.\n",
    )
    expect(formatReplayPlan({ ...plan, groups: plan.groups.slice(2) }, undefined)).not.toContain("To do it")
  })
})

describe("formatReplayResult", () => {
  it("tells what was done, and what was not", async () => {
    expect(formatReplayResult(result, await aPlan())).toBe(`sent again                   20
removed                      3
moved to quarantine          1
left                         1
plan ${result.plan}
run  20260301T120000Z-0011aabb
`)
    const bad = { ...result, unconfirmed: 1, refused: 2, vanished: 3, undone: 4, interrupted: true }
    expect(formatReplayResult(bad, undefined)).toContain(`left                         0
sent, removal not confirmed  1
too large to be sent         2
gone when their turn came    3
not done                     4
Interrupted. Nothing is lost: the next run goes on from here.
`)
  })

  it.each([
    { name: "all done", more: {}, is: 0 },
    { name: "some vanished", more: { vanished: 3 }, is: 0 },
    { name: "something undone", more: { undone: 1 }, is: 30 },
    { name: "something refused", more: { refused: 1 }, is: 30 },
    { name: "interrupted, which wins", more: { undone: 1, interrupted: true }, is: 130 },
  ])("gives the exit code $is for $name", ({ more, is }) => {
    expect(exitCodeOf({ ...result, ...more })).toBe(is)
  })
})

describe("formatHistory", () => {
  it("tells of each plan what was done by which runs", () => {
    const row = {
      plan: "0123456789abcdef".repeat(4),
      runs: ["one", "two"],
      firstAt: new Date("2026-03-01T10:00:00.000Z"),
      lastAt: new Date("2026-03-01T10:05:00.000Z"),
      batches: 3,
      send: 250,
      remove: 4,
      quarantine: 1,
      open: 0,
    }
    expect(formatHistory([row])).toBe(`2026-03-01T10:00:00.000Z to 2026-03-01T10:05:00.000Z  plan 0123456789ab
  250 sent again, 4 removed, 1 to quarantine, in 3 batches
  run one
  run two
`)
    expect(formatHistory([{ ...row, open: 1 }])).toContain("; 1 not confirmed, the next run ends them\n")
    expect(formatHistory([])).toBe("Nothing was ever replayed.\n")
  })
})

describe("progress", () => {
  it.each([
    { name: "begins", progress: { done: 0, total: 100 }, seconds: 0, is: `[${" ".repeat(30)}] 0/100` },
    {
      name: "goes on",
      progress: { done: 50, total: 100 },
      seconds: 2,
      is: `[${"=".repeat(15)}${" ".repeat(15)}] 50/100  25/s  2 s left`,
    },
    {
      name: "is slow",
      progress: { done: 1, total: 3 },
      seconds: 2,
      is: `[${"=".repeat(10)}${" ".repeat(20)}] 1/3  0.5/s  4 s left`,
    },
    {
      name: "waits",
      progress: { done: 1, total: 2, waitingFor: 1 },
      seconds: 9,
      is: `[${"=".repeat(15)}${" ".repeat(15)}] 1/2  1 locked by another receiver, waiting`,
    },
    { name: "has nothing to do", progress: { done: 0, total: 0 }, seconds: 1, is: `[${"=".repeat(30)}] 0/0` },
  ])("$name", ({ progress, seconds, is }) => {
    expect(formatProgress(progress, seconds)).toBe(is)
  })

  it("is one line on a terminal, and nothing elsewhere", () => {
    let err = ""
    const streams = { out: () => {}, err: (text: string) => (err += text), env: {}, cwd: "/" }
    const clock = fakeClock()
    const silent = createProgressLine(streams, clock)
    silent.count("looked at", 1)
    silent.progress({ done: 1, total: 2 })
    silent.clear()
    expect(err).toBe("")
    const line = createProgressLine({ ...streams, isTerminal: true }, clock)
    line.count("looked at", 250)
    line.count("looked at", 500)
    clock.advance(1000)
    line.progress({ done: 2, total: 2 })
    line.clear()
    line.clear()
    expect(err).toBe(`\r\u001B[2Klooked at 250\r\u001B[2K[${"=".repeat(30)}] 2/2\r\u001B[2K`)
  })
})

describe("kvbackup replay", () => {
  const settings = {
    BACKUP_VAULTS: "https://kv-a.vault.azure.net",
    BACKUP_STORE_URL: "https://a.blob.core.windows.net",
    BackupServiceBus__fullyQualifiedNamespace: "127.0.0.1:1",
  }
  const there = join(folder, "there.json")
  writeFileSync(there, "{}")
  async function run(...argv: string[]) {
    let err = ""
    const streams = { out: () => {}, err: (text: string) => (err += text), env: settings, cwd: folder }
    return { exitCode: await main(["replay", ...argv], streams), err }
  }

  it.each([
    {
      name: "an unknown source",
      argv: ["--from", "nowhere"],
      says: /Allowed choices are dead-letter, quarantine, event-grid, all/,
    },
    { name: "a vault that is none", argv: ["--vault", "kv-a"], says: /--vault must be https/ },
    { name: "an object that is none", argv: ["--object", "db-password"], says: /--object must be https/ },
    {
      name: "an age that is none",
      argv: ["--older-than", "yesterday"],
      says: /--older-than must be a duration/,
    },
    {
      name: "attempts that are no number",
      argv: ["--attempts", "few"],
      says: /--attempts must be a whole number/,
    },
    {
      name: "a rate of nothing",
      argv: ["--execute", "--max-per-second", "0"],
      says: /--max-per-second must be/,
    },
    {
      name: "a plan that is not there",
      argv: ["--plan", join(folder, "none.json")],
      says: /Cannot read the plan file/,
    },
    { name: "a plan that is none", argv: ["--plan", there], says: /not what replay writes/ },
    { name: "--replan without a plan", argv: ["--replan", "--execute"], says: /--replan goes with --plan/ },
    {
      name: "--history with --execute",
      argv: ["--history", "--execute"],
      says: /--history is asked for alone/,
    },
    { name: "a file that is there", argv: ["--out", there], says: /must be a new file/ },
    {
      name: "Event Grid without its account",
      argv: ["--from", "event-grid"],
      says: /BACKUP_DEADLETTER_URL is not set/,
    },
  ])("refuses $name", async ({ argv, says }) => {
    const { exitCode, err } = await run(...argv)
    expect(exitCode).toBe(2)
    expect(err).toMatch(says)
  })

  it("refuses filters beside a plan, which has its own", async () => {
    const file = join(folder, "plan.json")
    writeFileSync(file, formatPlan(await aPlan()))
    for (const argv of [
      ["--reason", "A"],
      ["--from", "all"],
      ["--attempts", "1"],
    ]) {
      const { exitCode, err } = await run("--plan", file, ...argv)
      expect([exitCode, err]).toEqual([2, expect.stringContaining("leave the other filters out")])
    }
  })

  it("ends with the code of what stopped it", async () => {
    const { exitCode, err } = await run("--execute")
    // The identity endpoint is not there.
    expect(err).toMatch(/^Error: \[ERR_(IDENTITY|STORE|QUEUE)_UNAVAILABLE\]/)
    expect([22, 23]).toContain(exitCode)
  })
})
