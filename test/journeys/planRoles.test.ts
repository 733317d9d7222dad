import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan } from "../../infra/tools/policies/plan.ts"
import { createUserCertificateClient } from "../../local/run/vaultUser.ts"
import { canaryOf, examplePeople, planRoles } from "../infra/planRoles.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const plan = readPlan(listPlans().find(({ name }) => name === "newVault")!.snapshot)
const containers = "Microsoft.Storage/storageAccounts/blobServices/containers"
const vaults = "Microsoft.KeyVault/vaults"

type Roles = ReturnType<typeof planRoles>

let journey: Journey
let roles: Roles

beforeAll(async () => {
  journey = await startJourney({
    runsTimers: false,
    settings: {
      BACKUP_RETRY_FIRST_DELAY: "100ms",
      BACKUP_RETRY_MAX_DELAY: "200ms",
      BACKUP_AUTO_REPLAY: "true",
    },
  })
  const [vault] = journey.cloud.file.vaults
  const planned = canaryOf(plan) ?? ""
  const local = `${vault?.name}/secrets/${planned.split("/").at(-1)}`
  const given = Object.entries(planRoles(plan, examplePeople)).map(([job, grants]) => [
    job,
    grants.map((grant) => grant.replace(planned, local)),
  ])
  roles = Object.fromEntries(given) as Roles
  await journey.control("PUT /roles", roles)
}, 60_000)
afterAll(() => journey.stop())

/** The codes that log lines of these events told since a line. */
const codesOf = (since: number, events: readonly string[]) =>
  journey.lines
    .slice(since)
    .filter((line) => events.some((event) => line.includes(`"event":"${event}"`)))
    .map((line) => /"code":"(\w+)"/.exec(line)?.[1])

async function certificate(name: string): Promise<string> {
  const policy = { issuerName: "Self", subject: "CN=example.test", keyType: "EC", exportable: true }
  const client = createUserCertificateClient(journey.cloud)
  const poller = await client.beginCreateCertificate(name, policy, { intervalInMs: 10 })
  const { properties } = await poller.pollUntilDone()
  return (properties.id ?? "").toLowerCase()
}

/** Records of an object. */
const storedOf = (name: string) =>
  journey.cloud.blob.backdoor
    .names(journey.cloud.file.blob.container, "v1/")
    .filter((blob) => blob.includes(`/${name}/`))

const runTimer = (name: string) => journey.control(`POST /functions/${name}`)

describe("with exactly the rights of a plan", () => {
  it("secrets and certificates are stored, and every timer does its work", async () => {
    const id = await journey.set("planned", "value")
    const certified = await certificate("planned-certificate")
    await journey.settled()
    expect((await journey.open(id)).value).toBe("value")
    expect(storedOf("planned-certificate")).toEqual([
      expect.stringContaining(certified.split("/").at(-1) ?? ""),
    ])
    const timers = ["sendCanary", "watchBacklog", "reconcileVaults", "writeDigest", "replayDeadLetters"]
    for (const name of timers) await runTimer(name)
    const events = [
      "canary.failed",
      "canary.late",
      "backlog.unknown",
      "reconcile.incomplete",
      "digest.failed",
    ]
    expect(codesOf(0, events)).toEqual([])
  })
})

describe("with one action less", () => {
  /** What is done without the action, and is told by these events with this code. */
  const steps = [
    {
      job: "backup",
      action: `${vaults}/secrets/getSecret/action`,
      events: ["change.deferred"],
      code: "ERR_VAULT_FORBIDDEN",
      provoke: () => journey.set("unread", "value"),
    },
    {
      job: "backup",
      action: `${vaults}/certificates/read`,
      events: ["change.deferred"],
      code: "ERR_VAULT_FORBIDDEN",
      provoke: () => certificate("unread-certificate"),
    },
    {
      job: "backup",
      action: `${containers}/blobs/add/action on keyvault-backups/`,
      events: ["change.deferred"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => journey.set("unstored", "value"),
    },
    {
      job: "canary",
      action: `${vaults}/secrets/setSecret/action`,
      events: ["canary.failed"],
      code: "ERR_VAULT_FORBIDDEN",
      provoke: () => runTimer("sendCanary"),
    },
    {
      job: "canary",
      action: "list on keyvault-backups/",
      events: ["canary.failed"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => runTimer("sendCanary"),
    },
    {
      job: "audit",
      action: "Microsoft.ServiceBus/namespaces/messages/receive/action on keyvault-changes-quarantine",
      events: ["backlog.unknown"],
      code: "ERR_QUEUE_FORBIDDEN",
      provoke: () => runTimer("watchBacklog"),
    },
    {
      job: "audit",
      action: "Microsoft.ServiceBus/namespaces/messages/receive/action on keyvault-changes",
      events: ["backlog.unknown"],
      code: "ERR_QUEUE_FORBIDDEN",
      provoke: () => runTimer("watchBacklog"),
    },
    {
      job: "replay",
      action: "Microsoft.ServiceBus/namespaces/messages/receive/action on keyvault-changes",
      events: ["replay.failed"],
      code: "ERR_QUEUE_FORBIDDEN",
      provoke: () => runTimer("replayDeadLetters"),
    },
    {
      job: "replay",
      action: "Microsoft.ServiceBus/namespaces/messages/receive/action on keyvault-changes-quarantine",
      events: ["replay.failed"],
      code: "ERR_QUEUE_FORBIDDEN",
      provoke: () => runTimer("replayDeadLetters"),
    },
    {
      job: "replay",
      action: `${containers}/blobs/read on eventgrid-dead-letters/`,
      events: ["replay.failed"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => runTimer("replayDeadLetters"),
    },
    {
      job: "replay",
      action: `${containers}/blobs/write on keyvault-backup-state/replay.lease`,
      events: ["replay.failed"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => runTimer("replayDeadLetters"),
    },
    {
      job: "reconcile",
      action: `${vaults}/certificates/read`,
      events: ["reconcile.incomplete"],
      code: "ERR_VAULT_FORBIDDEN",
      provoke: () => runTimer("reconcileVaults"),
    },
    {
      job: "reconcile",
      action: `${vaults}/secrets/readMetadata/action`,
      events: ["reconcile.incomplete"],
      code: "ERR_VAULT_FORBIDDEN",
      provoke: () => runTimer("reconcileVaults"),
    },
    {
      job: "reconcile",
      action: "list on keyvault-backups/",
      events: ["reconcile.incomplete"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => runTimer("reconcileVaults"),
    },
    {
      job: "reconcile",
      action: `${containers}/blobs/add/action on keyvault-backups/`,
      events: ["reconcile.incomplete"],
      code: "ERR_STORE_FORBIDDEN",
      provoke: () => runTimer("reconcileVaults"),
    },
  ] as const

  it.each(steps)("$job without $action: $code", async ({ job, action, events, code, provoke }) => {
    const fewer = roles[job].filter((grant) => grant.split(" on ")[0] !== action && grant !== action)
    expect(fewer).toHaveLength(roles[job].length - 1)
    const since = journey.lines.length
    await journey.control("PUT /roles", { [job]: fewer })
    // A timer that fails says so to whoever runs it; what it wrote to its log counts here.
    await Promise.resolve(provoke()).catch(() => {})
    await expect.poll(() => codesOf(since, events), { timeout: 15_000, interval: 20 }).toContain(code)
    await journey.control("PUT /roles", { [job]: roles[job] })
    await journey.settled()
  })

  it("nothing is left undone once the action is back", async () => {
    await journey.settled()
    const open = journey.outcomes().filter(({ outcome }) => outcome === "poison")
    expect(open).toEqual([])
    for (const name of ["unread", "unread-certificate", "unstored"]) expect(storedOf(name)).toHaveLength(1)
  })
})
