import { afterEach, describe, expect, it, vi } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { appSettings, readPlan, resourcesOf } from "../../infra/tools/policies/plan.ts"
import { installFunctionsCore } from "../../local/functionsHost/functionsCore.ts"
import { loadSettings, settingNames } from "../../shared/config.ts"

/** What Azure makes of the expressions in settings: an id for each identity, a string for the component. */
const clientIds: Readonly<Record<string, string>> = {
  host: "77777777-0000-4000-8000-000000000001",
  backup: "77777777-0000-4000-8000-000000000002",
  reconcile: "77777777-0000-4000-8000-000000000003",
  audit: "77777777-0000-4000-8000-000000000004",
  replay: "77777777-0000-4000-8000-000000000005",
  canary: "77777777-0000-4000-8000-000000000006",
}
const connectionString =
  "InstrumentationKey=88888888-0000-4000-8000-000000000001;IngestionEndpoint=https://westeurope-1.in.applicationinsights.azure.com/"

/** The app's environment in Azure: the plan's settings with every reference answered. */
function environmentOf(snapshot: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(appSettings(readPlan(snapshot))).map(([name, value]) => [name, answer(value)]),
  )
}

function answer(value: string): string {
  if (!value.startsWith("[")) return value
  if (/^\[reference\(.*\.ConnectionString\]$/.test(value)) return connectionString
  const job = /\.outputs\.identities\.value\.(\w+)\.clientId\)?\]$/.exec(value)?.[1]
  const clientId = clientIds[job ?? ""]
  if (clientId === undefined) throw new Error(`What does ${value} become?`)
  const format = /^\[format\('([^']*)'/.exec(value)?.[1]
  return format === undefined ? clientId : format.replace("{0}", clientId)
}

/** Settings that the deployment leaves at their default, or that are for other places than the app. */
const leftOut = [
  "BACKUP_CREDENTIAL",
  "BACKUP_REPLAY_MAX",
  "BACKUP_RESTORE_CLIENT_ID",
  "BACKUP_RETRY_FIRST_DELAY",
  "BACKUP_RETRY_MAX_AGE",
  "BACKUP_RETRY_MAX_DELAY",
  "BACKUP_VAULT_AUDIENCE",
  "BACKUP_VAULT_CHALLENGE_CHECK",
  "BACKUP_VERIFY_CLIENT_ID",
]
const onlyWhereWanted = new Set(["BACKUP_CANARY_SECRET", "BACKUP_HEARTBEAT_URL"])
const neededByTheWorker = [
  "BACKUP_VAULTS",
  "BACKUP_STORE_URL",
  "BACKUP_RECIPIENTS",
  "BackupServiceBus__fullyQualifiedNamespace",
] as const

const { functions } = installFunctionsCore("4.0.0", () => {})

afterEach(() => vi.unstubAllEnvs())

async function registeredWith(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  vi.resetModules()
  for (const { name } of functions.values()) (functions as Map<string, unknown>).delete(name)
  await import("../../functions/index.ts")
  // Pages are registered by other settings; the trigger and the timers by those of the plan.
  const isPage = (name: string) => name.startsWith("health")
  return [...functions.keys()].filter((name) => !isPage(name)).toSorted()
}

describe.each(listPlans())("the settings of $name", ({ snapshot }) => {
  const environment = environmentOf(snapshot)

  it("are read as the worker reads them, without a complaint", () => {
    const read = loadSettings(environment, [...neededByTheWorker])
    expect(read.BACKUP_MODE).toBe("production")
    expect(read.BACKUP_VAULTS).toHaveLength(
      resourcesOf(readPlan(snapshot), "Microsoft.EventGrid/systemTopics/eventSubscriptions").length,
    )
    expect(read.BACKUP_BACKUP_CLIENT_ID).toBe(clientIds["backup"])
    expect(read.BACKUP_RECIPIENTS.default).toHaveLength(1)
    expect(read.BACKUP_OBJECTIVE).toEqual({ percentile: 99, limitMs: 60_000 })
  })

  it("leave out what is meant to be left out, and nothing else", () => {
    const absent = settingNames.filter((name) => environment[name] === undefined)
    expect(absent.filter((name) => !onlyWhereWanted.has(name)).toSorted()).toEqual(leftOut)
  })

  it("C63 give the trigger the identity whose messages it takes", () => {
    expect(environment).toMatchObject({
      BackupServiceBus__credential: "managedidentity",
      BackupServiceBus__clientId: clientIds["backup"],
    })
  })

  it("name containers and queues that the plan makes", () => {
    const names = new Set(readPlan(snapshot).predictedResources.map(({ name }) => name))
    const wanted = [
      `${new URL(environment["BACKUP_STORE_URL"]!).hostname.split(".")[0]}/default/${environment["BACKUP_STORE_CONTAINER"]}`,
      `${new URL(environment["BACKUP_STORE_URL"]!).hostname.split(".")[0]}/default/${environment["BACKUP_STATE_CONTAINER"]}`,
      `${new URL(environment["BACKUP_DEADLETTER_URL"]!).hostname.split(".")[0]}/default/${environment["BACKUP_DEADLETTER_CONTAINER"]}`,
      `${environment["BackupServiceBus__fullyQualifiedNamespace"]?.split(".")[0]}/${environment["BACKUP_QUEUE"]}`,
      `${environment["BackupServiceBus__fullyQualifiedNamespace"]?.split(".")[0]}/${environment["BACKUP_QUARANTINE_QUEUE"]}`,
    ]
    expect(wanted.filter((name) => !names.has(name))).toEqual([])
  })
})

describe("with the settings of a plan the app registers", () => {
  const always = ["backupVersion", "continueReconcile", "reconcileVaults", "watchBacklog", "writeDigest"]
  const pathOf = (name: string) => listPlans().find((plan) => plan.name === name)!.snapshot

  it.each([
    { plan: "newVault", more: ["sendCanary"] },
    { plan: "minimal", more: [] },
    { plan: "locked", more: ["replayDeadLetters", "sendCanary"] },
  ])("$plan: the usual functions and $more", async ({ plan, more }) => {
    expect(await registeredWith(environmentOf(pathOf(plan)))).toEqual([...always, ...more].toSorted())
  })

  it("hubDns: the latency report too, where App Service signs people in", async () => {
    // App Service sets it once authsettingsV2 is in force.
    const environment = { ...environmentOf(pathOf("hubDns")), WEBSITE_AUTH_ENABLED: "True" }
    expect(await registeredWith(environment)).toContain("latencyReport")
  })
})
