import type { Settings } from "../config.ts"
import type { HttpCaller, TokenGetter } from "./caller.ts"
import { diagnoseEvents } from "./diagnoseEvents.ts"
import { diagnosePolicy } from "./diagnosePolicy.ts"
import type { Finding } from "./doctorReport.ts"
import type { HopEvidence } from "./evidence.ts"
import { gatherEvents, type Management, readResource } from "./gatherEvents.ts"
import type { CallAnswer } from "./harmlessCall.ts"
import type { DoctorJob } from "./job.ts"
import { within } from "./within.ts"

/** What the management plane is asked about. */
export interface ManagementTarget {
  readonly url: string
  /** What its tokens are for; absent, its own URL. */
  readonly audience?: string
  /** Id of the storage account with the backups. */
  readonly storeId?: string
  readonly eventSubscriptionId?: string
}

/** What was seen of the data plane before. */
export interface ManagementContext {
  readonly settings: Settings
  readonly demandsDays: boolean
  readonly http: HttpCaller
  readonly examined: readonly {
    readonly job: DoctorJob
    readonly tokens: TokenGetter
    readonly hops: readonly HopEvidence[]
  }[]
}

const tokenMs = 4000

/** Policy of the store and settings of the event subscription, as far as they are told. Reads only; never rejects. */
export async function examineManagement(
  target: ManagementTarget | undefined,
  context: ManagementContext,
): Promise<readonly Finding[]> {
  const management = target === undefined ? undefined : await openManagement(target, context)
  const [policy, events] = await Promise.all([
    examinePolicy(target, management, context),
    examineEvents(target, management),
  ])
  return [...policy, ...events]
}

async function openManagement(
  { url, audience }: ManagementTarget,
  { http, examined }: ManagementContext,
): Promise<Management | undefined> {
  const tokens = examined[0]?.tokens
  const answer = await within(tokenMs, (signal) => tokens?.get(audience ?? url, { signal }))
  return answer && "token" in answer ? { url, http, token: answer.token } : undefined
}

async function examinePolicy(
  target: ManagementTarget | undefined,
  management: Management | undefined,
  { settings, demandsDays, examined }: ManagementContext,
): Promise<readonly Finding[]> {
  const url = settings.BACKUP_STORE_URL
  if (url === undefined) return []
  const container = settings.BACKUP_STORE_CONTAINER
  const flags = flagsOf(examined.flatMap(({ hops }) => hops))
  const storeId = target?.storeId
  const told =
    management !== undefined && storeId !== undefined
      ? await readResource(
          management,
          `${storeId}/blobServices/default/containers/${container}/immutabilityPolicies/default`,
          "2025-06-01",
        )
      : undefined
  const leastDays = demandsDays ? settings.BACKUP_STORE_MIN_RETENTION_DAYS : undefined
  const verdict = diagnosePolicy({
    account: accountOf(url),
    container,
    ...(leastDays === undefined ? {} : { leastDays }),
    ...(flags ? { flags } : {}),
    ...(told ? { management: told } : {}),
  })
  return [
    {
      hop: "policy",
      target: container,
      ...verdict,
      evidence: { ...(flags ? { flags } : {}), ...(told ? { management: shown(told) } : {}) },
    },
  ]
}

async function examineEvents(
  target: ManagementTarget | undefined,
  management: Management | undefined,
): Promise<readonly Finding[]> {
  const id = target?.eventSubscriptionId
  if (id === undefined) return []
  if (management === undefined) {
    const says = "there is no token to go on with; see the identity"
    return [{ hop: "events", target: id, status: "notAsked", verdict: "notAsked", says }]
  }
  const evidence = await gatherEvents(management, id)
  const told = Object.fromEntries(
    Object.entries(evidence).flatMap(([name, answer]) =>
      typeof answer === "string" ? [] : [[name, shown(answer as CallAnswer)] as const],
    ),
  )
  const name = id.split("/").at(-1) ?? id
  return Object.entries(diagnoseEvents(evidence)).map(([hop, verdict]) => ({
    hop: `events.${hop}`,
    target: name,
    ...verdict,
    ...(hop === "subscription" ? { evidence: told } : {}),
  }))
}

function shown({ status, code }: CallAnswer): Readonly<Record<string, string | number>> {
  return { ...(status === undefined ? {} : { status }), ...(code === "" ? {} : { code }) }
}

function flagsOf(hops: readonly HopEvidence[]): CallAnswer["flags"] | undefined {
  return hops
    .flatMap(({ calls }) => calls)
    .map(({ answer }) => answer)
    .find(({ error, flags }) => error === undefined && Object.keys(flags).length > 0)?.flags
}

function accountOf(url: string): string {
  const { hostname, pathname } = new URL(url)
  // An address has the account in its path.
  return /^[\d.]+$|^localhost$/.test(hostname) ? pathname.slice(1) : (hostname.split(".")[0] ?? hostname)
}
