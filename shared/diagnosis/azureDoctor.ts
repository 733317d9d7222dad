import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import type { CredentialKind } from "../azureCredential.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import type { Clock } from "../clock.ts"
import type { Settings } from "../config.ts"
import { createAzureCaller } from "./azureCaller.ts"
import { readNewestLetter } from "./azureNewestLetter.ts"
import { putProbe } from "./azureProbeBlob.ts"
import { createAzureQueueCaller } from "./azureQueueCaller.ts"
import { createTokenGetter } from "./azureTokenGetter.ts"
import type { TokenGetter } from "./caller.ts"
import type { Expectation } from "./cause.ts"
import { checkSettings } from "./checkSettings.ts"
import { diagnoseHop } from "./diagnoseHop.ts"
import { diagnoseIdentity } from "./diagnoseIdentity.ts"
import { diagnoseLetters } from "./diagnoseLetters.ts"
import { diagnoseObject, objectCall } from "./diagnoseObject.ts"
import { describeEvidence, type DoctorReport, type Finding } from "./doctorReport.ts"
import type { HopEvidence, TokenEvidence } from "./evidence.ts"
import { gatherHop, type Instruments } from "./gatherHop.ts"
import { clientIdSettings, type DoctorJob } from "./job.ts"
import {
  gatherManagement,
  judgeManagement,
  type ManagementAnswers,
  type ManagementTarget,
} from "./managementPlane.ts"
import { planHops } from "./plannedHops.ts"
import { createSystemConnector } from "./systemConnector.ts"
import { createSystemResolver } from "./systemResolver.ts"
import { readTokenClaims } from "./tokenClaims.ts"
import type { Verdict } from "./verdict.ts"
import { within } from "./within.ts"

/** What the doctor works with. */
export interface DoctorOptions {
  /** Where settings come from that are the app's own and not the product's. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Are these an app's settings? Else it is seen from their names. */
  readonly isApp?: boolean
  readonly settings: Settings
  readonly jobs: readonly DoctorJob[]
  readonly credentialOf: (job: DoctorJob) => {
    readonly kind: CredentialKind
    readonly credential: TokenCredential
  }
  readonly httpClient: HttpClient
  readonly clock: Clock
  readonly serviceEndpoints?: boolean
  /** One version that cannot be read, it is said. */
  readonly object?: ObjectVersion
  /** Name of the blob that is put twice. Nothing is written without it. */
  readonly probe?: string
  readonly management?: ManagementTarget
  /** Must the days of the policy be told, where a setting asks for some? Default true. */
  readonly demandsDays?: boolean
  /** In place of this machine's. */
  readonly resolver?: Instruments["resolver"]
}

/** As whom is asked. */
interface Identity {
  readonly job: DoctorJob
  readonly kind: CredentialKind
  readonly credential: TokenCredential
  readonly tokens: TokenGetter
}

interface Examined extends Identity {
  readonly hops: readonly HopEvidence[]
  readonly findings: readonly Finding[]
}

const identityAudience = "https://storage.azure.com"
const tokenMs = 4000
const managementMs = 13_000

/** When everything must be known. What comes after the hops gets what is left, and at least a second. */
const allMs = 14_000
const leastMs = 1000

/**
 * Walks every hop of these jobs from where this runs, all at the same time, and says of each what is wrong and what mends
 * it. Changes nothing, but for the probe blob where one is named. Rejects never; is done in less than 15 seconds.
 */
export async function examine(options: DoctorOptions): Promise<DoctorReport> {
  const { settings, env, jobs, clock, management, demandsDays = true } = options
  const at = clock.now()
  const identities = jobs.map((job) => openIdentity(options, job))
  const [answers, ...examined] = await Promise.all([
    askManagement(options, identities[0]?.tokens),
    ...identities.map((identity) => examineJob(options, identity)),
  ])
  const leftMs = Math.max(leastMs, allMs - (clock.now().getTime() - at.getTime()))
  const [object, letters, probe] = await Promise.all([
    examineObject(options, examined, leftMs),
    examineLetters(options, examined, leftMs),
    examineProbe(options, examined, leftMs),
  ])
  const hops = examined.flatMap((each) => each.hops)
  const findings: Finding[] = [
    {
      hop: "settings",
      target: env["WEBSITE_SITE_NAME"] ?? "environment",
      ...checkSettings(env, jobs, options.isApp),
    },
    ...examined.flatMap((each) => each.findings),
    ...object,
    ...letters,
    ...judgeManagement(management, answers, { settings, demandsDays, hops }),
    ...probe,
  ]
  return { at, jobs, findings }
}

function openIdentity({ settings, credentialOf }: DoctorOptions, job: DoctorJob): Identity {
  const { kind, credential } = credentialOf(job)
  const tokens = rememberTokens(createTokenGetter(credential, settings[clientIdSettings[job]]))
  return { job, kind, credential, tokens }
}

async function askManagement(
  { management, settings, httpClient }: DoctorOptions,
  tokens: TokenGetter | undefined,
): Promise<ManagementAnswers> {
  if (management === undefined || tokens === undefined) return {}
  const http = createAzureCaller(httpClient)
  const asked = within(managementMs, () => gatherManagement(management, { settings, http, tokens }))
  return (await asked) ?? {}
}

async function examineJob(options: DoctorOptions, identity: Identity): Promise<Examined> {
  const { settings, env, httpClient, clock } = options
  const { job, kind, credential, tokens } = identity
  const clientId = settings[clientIdSettings[job]]
  const instruments: Instruments = {
    resolver: options.resolver ?? createSystemResolver(),
    connector: createSystemConnector(),
    http: createAzureCaller(httpClient),
    clock,
  }
  const plans = planHops(job, settings)
  const namespace = settings.BackupServiceBus__fullyQualifiedNamespace
  const asksQueues = namespace !== undefined && plans.some(({ queueCalls }) => queueCalls.length > 0)
  const queue = asksQueues ? createAzureQueueCaller(namespace, credential) : undefined
  try {
    const [token, ...hops] = await Promise.all([
      askToken(tokens),
      ...plans.map((plan) => gatherHop(plan, instruments, tokens, queue)),
    ])
    const app = env["WEBSITE_SITE_NAME"]
    const verdict = diagnoseIdentity({
      job,
      kind,
      token,
      now: clock.now(),
      ...(clientId === undefined ? {} : { clientId }),
      ...(app === undefined ? {} : { app }),
    })
    const expected = expectationOf(options)
    const findings: Finding[] = [
      { hop: "identity", job, target: clientId ?? kind, ...verdict, evidence: { token } },
      ...hops.map((evidence) => ({
        hop: evidence.hop.kind,
        job,
        target: evidence.hop.target,
        ...diagnoseHop(evidence, expected),
        evidence: describeEvidence(evidence),
      })),
    ]
    return { ...identity, hops, findings }
  } finally {
    await queue?.close()
  }
}

async function askToken(tokens: TokenGetter): Promise<TokenEvidence> {
  const audience = identityAudience
  const answer = await within(tokenMs, (signal) => tokens.get(audience, { signal }))
  if (answer === undefined) return { audience, problem: "unreachable", says: "no token came in time" }
  if ("problem" in answer) return { audience, ...answer }
  const claims = readTokenClaims(answer.token)
  return { audience, ...(claims ? { claims } : {}) }
}

/** One question for each audience, however many hops want to know. */
function rememberTokens(tokens: TokenGetter): TokenGetter {
  const asked = new Map<string, ReturnType<TokenGetter["get"]>>()
  return {
    get: (audience) => {
      const known = asked.get(audience) ?? tokens.get(audience)
      asked.set(audience, known)
      return known
    },
  }
}

function expectationOf({ settings, serviceEndpoints = false }: DoctorOptions): Expectation {
  const vaultAudience = settings.BACKUP_VAULT_AUDIENCE
  return {
    serviceEndpoints,
    challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
    ...(vaultAudience === undefined ? {} : { vaultAudience }),
  }
}

async function examineObject(
  { object, httpClient }: DoctorOptions,
  examined: readonly Examined[],
  limitMs: number,
): Promise<readonly Finding[]> {
  if (object === undefined) return []
  const call = objectCall(object)
  const target = formatVersionUrl(object)
  // As a job that may read this kind of object, and whose hop to this vault is well.
  const reader = examined.find(({ hops, findings }) =>
    hops.some(
      (hop, index) =>
        hop.hop.target === object.vault &&
        findings[index + 1]?.status === "ok" &&
        hop.calls.some(({ right }) => right === call.right),
    ),
  )
  const audience = reader?.hops.find(({ hop }) => hop.target === object.vault)?.token?.audience
  const token = audience === undefined ? undefined : await reader?.tokens.get(audience)
  const http = createAzureCaller(httpClient)
  const answer =
    token && "token" in token
      ? await within(limitMs, (signal) => http.call(call, "vault", token.token, { signal }))
      : undefined
  const verdict = diagnoseObject(object, answer)
  return [{ hop: "object", ...(reader ? { job: reader.job } : {}), target, ...verdict }]
}

async function examineLetters(
  { settings, httpClient, clock }: DoctorOptions,
  examined: readonly Examined[],
  limitMs: number,
): Promise<readonly Finding[]> {
  const url = settings.BACKUP_DEADLETTER_URL
  const replay = examined.find(({ job }) => job === "replay")
  const isOpen = replay?.findings.some(({ hop, status }) => hop === "deadLetter" && status === "ok") === true
  if (url === undefined || replay === undefined || !isOpen) return []
  const container = settings.BACKUP_DEADLETTER_CONTAINER
  const { credential } = replay
  const [namespace = ""] = (settings.BackupServiceBus__fullyQualifiedNamespace ?? "").split(/[.:]/)
  const found = await within(limitMs, async (signal) => ({
    newest: await readNewestLetter({ url, container, credential, httpClient }, signal),
  }))
  const verdict: Verdict = found
    ? diagnoseLetters(found.newest, { namespace, queue: settings.BACKUP_QUEUE }, clock.now())
    : { status: "unknown", verdict: "deadLetters.late", says: "the newest dead letter could not be read" }
  return [
    {
      hop: "deadLetters",
      job: "replay",
      target: container,
      ...verdict,
      ...(found?.newest ? { evidence: { newest: found.newest } } : {}),
    },
  ]
}

async function examineProbe(
  { probe, settings, httpClient, clock }: DoctorOptions,
  examined: readonly Examined[],
  limitMs: number,
): Promise<readonly Finding[]> {
  const url = settings.BACKUP_STORE_URL
  const backup = examined.find(({ job }) => job === "backup")
  if (probe === undefined || url === undefined || backup === undefined) return []
  const { credential } = backup
  const container = settings.BACKUP_STORE_CONTAINER
  const isWell = backup.findings.some(({ hop, status }) => hop === "store" && status === "ok")
  if (!isWell) {
    const says = "nothing was put: the store comes first"
    const target = `${container}/${probe}`
    return [{ hop: "live", job: "backup", target, status: "notAsked", verdict: "notAsked", says }]
  }
  const done = await within(limitMs, () => putProbe({ url, container, credential, httpClient }, probe, clock))
  return [
    {
      hop: "live",
      job: "backup",
      target: `${container}/${probe}`,
      ...(done?.verdict ?? {
        status: "unknown" as const,
        verdict: "live.late",
        says: "the store did not answer in time",
      }),
      ...(done ? { evidence: { ...done.evidence } } : {}),
    },
  ]
}
