import type { TokenCredential } from "@azure/core-auth"
import { type CredentialKind, createCredential } from "../shared/azureCredential.ts"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { formatVersionUrl, type ObjectVersion, parseVersionUrl } from "../shared/change/objectVersion.ts"
import { systemClock } from "../shared/clock.ts"
import { loadSettings, type Settings } from "../shared/config.ts"
import { examine } from "../shared/diagnosis/azureDoctor.ts"
import { nameProbe } from "../shared/diagnosis/azureProbeBlob.ts"
import { type DoctorReport, exitCodeOfReport } from "../shared/diagnosis/doctorReport.ts"
import type { ManagementTarget } from "../shared/diagnosis/managementPlane.ts"
import { clientIdSettings, type DoctorJob, doctorJobs, jobsOfPeople } from "../shared/diagnosis/job.ts"
import type { NameResolver } from "../shared/diagnosis/names.ts"
import { ServiceError } from "../shared/errors.ts"
import { type CommandStreams, type GlobalOptions, readJsonFile } from "./commandContext.ts"
import { runDoctorPlan } from "./doctorPlan.ts"
import { formatDoctorReport } from "./doctorText.ts"
import { readLocalCloud } from "./localCloud.ts"

/** Options of `kvbackup doctor`. */
export interface DoctorCommandOptions extends GlobalOptions {
  readonly as?: DoctorJob
  readonly live?: boolean
  readonly object?: string
  readonly storeId?: string
  readonly eventSubscription?: string
  readonly serviceEndpoints?: boolean
  readonly appSettings?: string
  readonly plan?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * `kvbackup doctor`: walks every hop from where this runs, says what is wrong and what mends it. Writes nothing, but with
 * `--live` one probe blob, whose name it tells first.
 *
 * @param resolver - in place of this machine's.
 * @returns 0, 30 for a hop that fails, 31 for one that could not be told, which wins.
 * @throws ServiceError ERR_CONFIG_INVALID.
 */
export async function runDoctor(
  options: DoctorCommandOptions,
  streams: CommandStreams,
  resolver?: NameResolver,
): Promise<number> {
  if (options.plan !== undefined) return runDoctorPlan(options.plan, options.json === true, streams)
  const { env, kind, management } = placeOf(options, streams)
  const settings = loadSettings(env, [])
  const jobs = jobsOf(options, settings)
  const object = options.object === undefined ? undefined : readObject(options.object, settings)
  const probe = options.live === true ? nameProbe(systemClock) : undefined
  if (probe !== undefined) {
    if (!jobs.includes("backup"))
      throw usage("--live puts its blob as backup: leave --as out, or say --as backup")
    const days = settings.BACKUP_STORE_MIN_RETENTION_DAYS
    const until = days === undefined ? "until its retention ends" : `for at least ${days} days`
    streams.err(`Putting one blob twice, which stays ${until}: ${settings.BACKUP_STORE_CONTAINER}/${probe}\n`)
  }
  const httpClient = createAzureHttpClient()
  try {
    const report = await examine({
      env,
      ...(options.appSettings === undefined ? {} : { isApp: true }),
      settings,
      jobs,
      httpClient,
      clock: systemClock,
      credentialOf: (job) => {
        const chosen = kind ?? settings.BACKUP_CREDENTIAL ?? usualKind(job)
        return { kind: chosen, credential: openCredential(chosen, settings[clientIdSettings[job]]) }
      },
      serviceEndpoints: options.serviceEndpoints === true,
      ...(object ? { object } : {}),
      ...(probe === undefined ? {} : { probe }),
      ...(management ? { management } : {}),
      ...(resolver ? { resolver } : {}),
    })
    return tell(report, options, streams)
  } finally {
    await httpClient.close()
  }
}

/** A credential that cannot even be made here is a finding like one that gives no token. */
function openCredential(kind: CredentialKind, clientId: string | undefined): TokenCredential {
  try {
    return createCredential(kind, clientId)
  } catch (error) {
    return { getToken: () => Promise.reject(error instanceof Error ? error : new Error(String(error))) }
  }
}

function tell(report: DoctorReport, options: DoctorCommandOptions, streams: CommandStreams): number {
  const exitCode = exitCodeOfReport(report)
  streams.out(
    options.json === true
      ? `${JSON.stringify({ format: "kvbackup-doctor/1", exitCode, ...report })}\n`
      : formatDoctorReport(report),
  )
  return exitCode
}

interface Place {
  readonly env: Environment
  /** Where tokens come from, as far as the command line says. */
  readonly kind: CredentialKind | undefined
  readonly management: ManagementTarget | undefined
}

function placeOf(options: DoctorCommandOptions, streams: CommandStreams): Place {
  const ids = {
    ...(options.storeId === undefined ? {} : { storeId: resourceId("--store-id", options.storeId) }),
    ...(options.eventSubscription === undefined
      ? {}
      : { eventSubscriptionId: resourceId("--event-subscription", options.eventSubscription) }),
  }
  if (options.local === true) {
    const local = readLocalCloud(streams.cwd)
    const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers"
    const storeId = `${group}/Microsoft.Storage/storageAccounts/local`
    const eventSubscriptionId = `${group}/Microsoft.EventGrid/systemTopics/local/eventSubscriptions/keyvault-changes`
    // What is demanded of the store is the caller's to say, also of the local one.
    const leastDays = streams.env["BACKUP_STORE_MIN_RETENTION_DAYS"]
    return {
      env: { ...local.env, BACKUP_STORE_MIN_RETENTION_DAYS: leastDays },
      kind: "managedIdentity",
      management: {
        url: local.managementUrl,
        audience: "https://management.azure.com",
        storeId,
        eventSubscriptionId,
        ...ids,
      },
    }
  }
  const env = options.appSettings === undefined ? streams.env : readAppSettings(options.appSettings)
  const isAsked = Object.keys(ids).length > 0
  return {
    env,
    kind: options.credential,
    management: isAsked ? { url: managementUrlOf(env["BACKUP_STORE_URL"]), ...ids } : undefined,
  }
}

/** As backup, and as every job whose identity is named; `--as` names one. */
function jobsOf({ as, live }: DoctorCommandOptions, settings: Settings): readonly DoctorJob[] {
  if (as !== undefined) return [as]
  if (live === true) return ["backup"]
  return doctorJobs.filter((job) => job === "backup" || settings[clientIdSettings[job]] !== undefined)
}

function usualKind(job: DoctorJob): CredentialKind {
  return jobsOfPeople.includes(job) ? "azureCli" : "managedIdentity"
}

function readObject(text: string, { BACKUP_VAULTS: vaults = [] }: Settings): ObjectVersion {
  const parsed = parseVersionUrl(text)
  if ("problem" in parsed) throw usage(`--object is no version URL: ${parsed.problem}`)
  if ("unsupported" in parsed) {
    throw usage(
      parsed.unsupported === "managedHsm"
        ? "--object lies in a managed HSM, which this product does not back up; use its own full backup"
        : "--object is a key, and keys are not backed up",
    )
  }
  if (!vaults.includes(parsed.object.vault)) {
    throw usage(`--object ${formatVersionUrl(parsed.object)} lies in no vault of BACKUP_VAULTS`)
  }
  return parsed.object
}

function readAppSettings(file: string): Environment {
  const json = readJsonFile(file, "app settings")
  const pairs = Array.isArray(json)
    ? json.map((item: unknown) => {
        const named = typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {}
        return [named["name"], named["value"]] as const
      })
    : Object.entries(typeof json === "object" && json !== null ? json : {})
  const isPair = (pair: readonly [unknown, unknown]): pair is readonly [string, string] =>
    typeof pair[0] === "string" && typeof pair[1] === "string"
  const known = pairs.filter(isPair)
  if (known.length === 0) throw usage(`The app settings ${file} are no list of names and values`)
  return Object.fromEntries(known)
}

function resourceId(option: string, text: string): string {
  const id = text.trim().replace(/\/+$/, "")
  if (!/^\/subscriptions\/[\w-]+\/[\w./()-]+$/i.test(id) || id.includes("..")) {
    throw usage(`${option} is no resource id; it begins with /subscriptions/`)
  }
  return id
}

/** The management plane of the cloud that the store lies in. */
function managementUrlOf(storeUrl: string | undefined): string {
  if (/\.chinacloudapi\.cn\b/.test(storeUrl ?? "")) return "https://management.chinacloudapi.cn"
  if (/\.usgovcloudapi\.net\b/.test(storeUrl ?? "")) return "https://management.usgovcloudapi.net"
  return "https://management.azure.com"
}

function usage(message: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message, {
    hint: "Run `kvbackup doctor --help`; it lists the options.",
  })
}
