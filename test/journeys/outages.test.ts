import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { type Journey, startJourney } from "../support/startJourney.ts"

const changes = 12

interface Outage {
  readonly name: string
  /** What the worker reports while it lasts. */
  readonly code: string
  /** How each change ends; `stored` if absent. */
  readonly becomes?: "alreadyStored"
  /** Milliseconds between two attempts at least. */
  readonly pauseMs?: number
  readonly begin: () => Promise<unknown>
  readonly end: () => Promise<unknown>
}

let journey: Journey
let usualRoles: readonly string[]

const fault = (rule: object) => () => journey.control("POST /faults", rule)
const clearFaults = () => journey.control("DELETE /faults")
const vault = { target: "keyvault", match: { method: "GET", job: "backup" } }
const store = { target: "blob", match: { method: "PUT", job: "backup" } }
const roles = (grants: () => readonly string[]) => () => journey.control("PUT /roles", { backup: grants() })
const restoreRoles = roles(() => usualRoles)

const outages: readonly Outage[] = [
  {
    name: "the vault answers 503",
    code: "ERR_VAULT_UNAVAILABLE",
    begin: fault({ ...vault, effect: "status", status: 503 }),
    end: clearFaults,
  },
  {
    name: "the vault throttles and asks for a pause",
    code: "ERR_VAULT_THROTTLED",
    begin: fault({ ...vault, effect: "status", status: 429, retryAfter: 1 }),
    pauseMs: 900,
    end: clearFaults,
  },
  {
    name: "the vault cuts connections",
    code: "ERR_VAULT_UNAVAILABLE",
    begin: fault({ ...vault, effect: "cut" }),
    end: clearFaults,
  },
  {
    name: "the vault cuts answers in the middle",
    code: "ERR_VAULT_UNAVAILABLE",
    begin: fault({ ...vault, effect: "cut", afterBytes: 60 }),
    end: clearFaults,
  },
  {
    name: "the vault's firewall is closed",
    code: "ERR_VAULT_FIREWALL",
    begin: fault({ ...vault, effect: "status", status: 403, innerCode: "ForbiddenByFirewall" }),
    end: clearFaults,
  },
  {
    name: "the store's firewall is closed",
    code: "ERR_STORE_FIREWALL",
    begin: () => journey.control("PUT /firewall", { blob: "closed" }),
    end: () => journey.control("PUT /firewall", { blob: "open" }),
  },
  {
    name: "the store answers 503",
    code: "ERR_STORE_UNAVAILABLE",
    begin: fault({ ...store, effect: "status", status: 503 }),
    end: clearFaults,
  },
  {
    name: "the store takes the record and cuts the connection before it answers",
    code: "ERR_STORE_UNAVAILABLE",
    begin: fault({ ...store, effect: "cut", afterBytes: 0 }),
    becomes: "alreadyStored",
    end: clearFaults,
  },
  {
    name: "the role at the vault is missing",
    code: "ERR_VAULT_FORBIDDEN",
    begin: roles(() => usualRoles.filter((grant) => !grant.includes("getSecret"))),
    end: restoreRoles,
  },
  {
    name: "the role at the store is missing",
    code: "ERR_STORE_FORBIDDEN",
    begin: roles(() => usualRoles.filter((grant) => !grant.includes("blobs/add"))),
    end: restoreRoles,
  },
]

beforeAll(async () => {
  journey = await startJourney({
    settings: { BACKUP_RETRY_FIRST_DELAY: "50ms", BACKUP_RETRY_MAX_DELAY: "400ms" },
  })
  usualRoles = journey.cloud.access.roles()["backup"] ?? []
})
afterEach(async () => {
  await clearFaults()
  await restoreRoles()
})
afterAll(() => journey.stop())

async function setMany(secret: string): Promise<readonly string[]> {
  const indexes = Array.from({ length: changes }, (_, index) => index)
  return Promise.all(indexes.map((index) => journey.set(`${secret}-${index}`, `value ${index}`)))
}

function expectNothingGivenUp(): void {
  const { queue, quarantineQueue } = journey.cloud.file.serviceBus
  const nothing = { active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 }
  expect(journey.cloud.serviceBus.counts()).toEqual({ [queue]: nothing, [quarantineQueue]: nothing })
}

describe("a message", () => {
  it("keeps each in hand, not given up, while not even the copy of a deferred one can be sent", async () => {
    const { queue } = journey.cloud.file.serviceBus
    const said = (line: string) =>
      line.includes('"message.copyNotSent"') && line.includes("ERR_QUEUE_FORBIDDEN")
    await fault({ ...vault, effect: "status", status: 503 })()
    await roles(() => usualRoles.filter((grant) => !grant.includes(`send/action on ${queue}`)))()
    const ids = await setMany("in-hand")
    await vi.waitFor(() => expect(journey.lines.filter(said).length).toBeGreaterThanOrEqual(changes), {
      timeout: 15_000,
      interval: 20,
    })
    expect(journey.cloud.serviceBus.counts()[queue]).toMatchObject({ locked: changes, scheduled: 0 })
    await restoreRoles()
    await clearFaults()
    await journey.settled()

    expectNothingGivenUp()
    for (const id of ids) expect(await journey.metadata(id)).toMatchObject({ attempt: "2" })
  })
})

describe("while", () => {
  it.each(outages)("$name: nothing is lost, and all is stored afterwards", async (outage) => {
    await outage.begin()
    const ids = await setMany(outage.name.replaceAll(/[^a-z]+/g, "-"))
    // It lasts until each change has failed twice, so that the second delay has been waited for, too.
    await vi.waitFor(
      () => {
        for (const id of ids) expect(journey.outcomes(id).length).toBeGreaterThanOrEqual(2)
      },
      { timeout: 15_000, interval: 20 },
    )
    await outage.end()
    await journey.settled()

    expectNothingGivenUp()
    for (const [index, id] of ids.entries()) {
      const outcomes = journey.outcomes(id)
      const deferred = outcomes.slice(0, -1)
      expect(new Set(deferred.map(({ outcome, code }) => `${outcome} ${code}`))).toEqual(
        new Set([`deferred ${outage.code}`]),
      )
      expect(outcomes.at(-1)?.outcome).toBe(outage.becomes ?? "stored")
      const attempt = outage.becomes ? 1 : outcomes.length
      expect(await journey.metadata(id)).toMatchObject({ origin: "live", attempt: String(attempt) })
      expect((await journey.open(id)).value).toBe(`value ${index}`)
      for (const [nth, { at }] of outcomes.slice(1).entries()) {
        expect(at.getTime() - outcomes[nth]!.at.getTime()).toBeGreaterThanOrEqual(outage.pauseMs ?? 0)
      }
    }
  })
})
