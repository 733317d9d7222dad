import type { Settings } from "../config.ts"
import type { HttpCaller, TokenGetter } from "./caller.ts"
import { diagnoseEvents } from "./diagnoseEvents.ts"
import { diagnosePolicy } from "./diagnosePolicy.ts"
import type { Finding } from "./doctorReport.ts"
import type { HopEvidence } from "./evidence.ts"
import type { EventsEvidence } from "./eventsEvidence.ts"
import { gatherEvents, readResource } from "./gatherEvents.ts"
import type { CallAnswer } from "./harmlessCall.ts"
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

/** What the management plane answered. */
export interface ManagementAnswers {
  /** Of the policy of the container with the backups; absent, it was not asked. */
  readonly policy?: CallAnswer
  readonly events?: EventsEvidence
}

const tokenMs = 4000

/** Asks the management plane with these tokens. Reads only; never rejects; ends within some 12 seconds. */
export async function gatherManagement(
  { url, audience, storeId, eventSubscriptionId }: ManagementTarget,
  {
    settings,
    http,
    tokens,
  }: {
    readonly settings: Settings
    readonly http: HttpCaller
    readonly tokens: TokenGetter
  },
): Promise<ManagementAnswers> {
  const answer = await within(tokenMs, (signal) => tokens.get(audience ?? url, { signal }))
  if (answer === undefined || "problem" in answer) return {}
  const management = { url, http, token: answer.token }
  const container = `blobServices/default/containers/${settings.BACKUP_STORE_CONTAINER}`
  const [policy, events] = await Promise.all([
    storeId === undefined
      ? undefined
      : readResource(management, `${storeId}/${container}/immutabilityPolicies/default`, "2025-06-01"),
    eventSubscriptionId === undefined ? undefined : gatherEvents(management, eventSubscriptionId),
  ])
  return { ...(policy ? { policy } : {}), ...(events ? { events } : {}) }
}

/** What the answers say, with what the data plane showed of the container. Pure. */
export function judgeManagement(
  target: ManagementTarget | undefined,
  answers: ManagementAnswers,
  seen: { readonly settings: Settings; readonly demandsDays: boolean; readonly hops: readonly HopEvidence[] },
): readonly Finding[] {
  return [...judgePolicy(answers, seen), ...judgeEvents(target, answers)]
}

function judgePolicy(
  { policy }: ManagementAnswers,
  { settings, demandsDays, hops }: Parameters<typeof judgeManagement>[2],
): readonly Finding[] {
  const url = settings.BACKUP_STORE_URL
  if (url === undefined) return []
  const container = settings.BACKUP_STORE_CONTAINER
  const flags = flagsOf(hops)
  const leastDays = demandsDays ? settings.BACKUP_STORE_MIN_RETENTION_DAYS : undefined
  const verdict = diagnosePolicy({
    account: accountOf(url),
    container,
    ...(leastDays === undefined ? {} : { leastDays }),
    ...(flags ? { flags } : {}),
    ...(policy ? { management: policy } : {}),
  })
  const evidence = { ...(flags ? { flags } : {}), ...(policy ? { management: shown(policy) } : {}) }
  return [{ hop: "policy", target: container, ...verdict, evidence }]
}

function judgeEvents(
  target: ManagementTarget | undefined,
  { events }: ManagementAnswers,
): readonly Finding[] {
  const id = target?.eventSubscriptionId
  if (id === undefined) return []
  if (events === undefined) {
    const says = "there is no token for the management plane, or it did not answer; see the identity"
    return [{ hop: "events", target: id, status: "notAsked", verdict: "notAsked", says }]
  }
  const told = Object.fromEntries(
    Object.entries(events).flatMap(([name, answer]) =>
      typeof answer === "string" ? [] : [[name, shown(answer as CallAnswer)] as const],
    ),
  )
  const name = id.split("/").at(-1) ?? id
  return Object.entries(diagnoseEvents(events)).map(([hop, verdict]) => ({
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
