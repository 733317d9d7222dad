import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"

const cli = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))

const longestDelayMs = 150
const outageMs = 20 * longestDelayMs

interface StatusDocument {
  readonly queues: {
    readonly deferredBy: readonly {
      readonly cause: string
      readonly count: number
      readonly oldest: string
      readonly next: string
    }[]
  }
}

let journey: Journey
/** A cloud of its own for the one pause that cannot be scaled down; it is over when the other tests are. */
let patient: Journey
let pausedIds: readonly string[]
let pausedAtMs: number
let pausedBy: StatusDocument["queues"]["deferredBy"]
let usualRoles: readonly string[]

const vault = { target: "keyvault", match: { method: "GET", job: "backup" } }

beforeAll(async () => {
  const settings = { BACKUP_RETRY_FIRST_DELAY: "20ms", BACKUP_RETRY_MAX_DELAY: `${longestDelayMs}ms` }
  patient = await startJourney({ settings })
  await patient.control("POST /faults", { ...vault, effect: "status", status: 429, retryAfter: 30 })
  pausedIds = await setSome(patient, 6)
  pausedAtMs = Date.now()
  await vi.waitFor(() => assertTried(patient, 6), { timeout: 10_000 })
  await patient.control("DELETE /faults")
  pausedBy = await deferredBy(patient)
  journey = await startJourney({ settings })
  usualRoles = journey.cloud.access.roles()["backup"] ?? []
})
afterEach(async () => {
  await journey.control("DELETE /faults")
  await journey.control("PUT /firewall", { blob: "open" })
  await journey.control("PUT /roles", { backup: usualRoles })
})
afterAll(async () => {
  await journey.stop()
  await patient.stop()
})

function assertTried(where: Journey, count: number): void {
  if (where.outcomes().length < count) throw new Error("Not every change was tried")
}

async function setSome(where: Journey, count: number, prefix = "paused"): Promise<readonly string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++)
    ids.push(await where.set(`${prefix}-${index}`, `value ${index}`))
  return ids
}

/** Changes that keep coming while the outage lasts. */
async function changeMeanwhile(name: string, lastMs: number): Promise<readonly string[]> {
  const endMs = Date.now() + lastMs
  const ids: string[] = []
  while (Date.now() < endMs) {
    ids.push(await journey.set(`${name}-${ids.length}`, "value"))
    await sleep(100)
  }
  return ids
}

async function expectAllStored(where: Journey, ids: readonly string[]): Promise<number[]> {
  const { queue, quarantineQueue } = where.cloud.file.serviceBus
  const nothing = { active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 }
  expect(where.cloud.serviceBus.counts()).toEqual({ [queue]: nothing, [quarantineQueue]: nothing })
  const attempts: number[] = []
  for (const id of ids) attempts.push(Number((await where.metadata(id))["attempt"]))
  return attempts
}

/** A process of its own: the credential keeps the identity endpoint that a process used first. */
async function deferredBy({ directory }: Journey): Promise<StatusDocument["queues"]["deferredBy"]> {
  const { stdout } = await startNode([cli, "status", "--json", "--local"], { cwd: directory }).end
  return (JSON.parse(stdout) as StatusDocument).queues.deferredBy
}

describe(`C54: for ${outageMs / longestDelayMs} times the longest delay, while changes keep coming`, () => {
  it.each([
    {
      name: "the vault is unreachable",
      code: "ERR_VAULT_UNAVAILABLE",
      begin: () => journey.control("POST /faults", { ...vault, effect: "cut" }),
    },
    {
      name: "the firewall of the store is closed",
      code: "ERR_STORE_FIREWALL",
      begin: () => journey.control("PUT /firewall", { blob: "closed" }),
    },
    {
      name: "the role at the vault is missing",
      code: "ERR_VAULT_FORBIDDEN",
      begin: () =>
        journey.control("PUT /roles", { backup: usualRoles.filter((grant) => !grant.includes("getSecret")) }),
    },
    {
      name: "the vault throttles and names no pause",
      code: "ERR_VAULT_THROTTLED",
      begin: () => journey.control("POST /faults", { ...vault, effect: "status", status: 429 }),
    },
  ])("$name: all is stored afterwards, and nothing was given up", async ({ name, code, begin }) => {
    await begin()
    const ids = await changeMeanwhile(name.replaceAll(" ", "-"), outageMs)
    await journey.control("DELETE /faults")
    await journey.control("PUT /firewall", { blob: "open" })
    await journey.control("PUT /roles", { backup: usualRoles })
    await journey.settled()

    const attempts = await expectAllStored(journey, ids)
    // The first change met the whole outage: it was tried again and again, never faster than the delays allow.
    expect(attempts[0]).toBeGreaterThanOrEqual(3)
    expect(attempts[0]).toBeLessThanOrEqual(2 + Math.ceil(outageMs / (0.8 * longestDelayMs)) + 4)
    const said = journey.lines.filter(
      (line) => line.includes('"change.deferred"') && line.includes(`"${code}"`),
    )
    expect(said.length).toBeGreaterThanOrEqual(ids.length / 2)
    expect(said[0]).toMatch(/"attempt":1,"nextAt":"\d{4}-/)
  })

  it("the vault asks for a pause until a date: nobody calls it before", async () => {
    // The header has whole seconds.
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 6000)
    const retryAfter = until.toUTCString()
    await journey.control("POST /faults", { ...vault, effect: "status", status: 429, retryAfter })
    const ids = await setSome(journey, 8, "until-a-date")
    await vi.waitFor(() => expect(ids.every((id) => journey.outcomes(id).length === 1)).toBe(true))
    await journey.control("DELETE /faults")
    const [waiting, ...others] = await deferredBy(journey)
    expect(others).toEqual([])
    expect(waiting).toMatchObject({ cause: "ERR_VAULT_THROTTLED", count: 8 })
    expect(Date.parse(waiting?.next ?? "")).toBeGreaterThan(until.getTime() - 100)
    await journey.settled()
    expect(await expectAllStored(journey, ids)).toEqual(ids.map(() => 2))
    for (const id of ids) {
      const readAt = Date.parse((await journey.metadata(id))["readat"] ?? "")
      expect(readAt).toBeGreaterThan(until.getTime() - 100)
    }
  })
})

describe("C50: a Retry-After of 30 s", () => {
  it("is waited for by every change of the vault, visibly, and all is stored afterwards", async () => {
    const retryAtMs = pausedAtMs + 30_000
    expect(pausedBy).toMatchObject([{ cause: "ERR_VAULT_THROTTLED", count: pausedIds.length }])
    expect(Date.parse(pausedBy[0]?.next ?? "")).toBeGreaterThan(retryAtMs - 3000)
    await patient.settled(40_000)
    const attempts = await expectAllStored(patient, pausedIds)
    expect(attempts).toEqual(pausedIds.map(() => 2))
    for (const id of pausedIds) {
      const readAt = Date.parse((await patient.metadata(id))["readat"] ?? "")
      expect(readAt).toBeGreaterThan(retryAtMs - 3000)
    }
  }, 60_000)
})
