import type { Clock } from "../clock.ts"
import type { HttpCaller, QueueCaller, TokenGetter } from "./caller.ts"
import type { Connector } from "./connector.ts"
import type { CalledHttp, CalledQueue, Hop, HopEvidence, TokenEvidence } from "./evidence.ts"
import type { CallAnswer, HarmlessCall, QueueCall } from "./harmlessCall.ts"
import { classifyNames, type NameResolver } from "./names.ts"
import { readTokenClaims } from "./tokenClaims.ts"
import { within } from "./within.ts"

/** The ways of asking, each behind a port. */
export interface Instruments {
  readonly resolver: NameResolver
  readonly connector: Connector
  readonly http: HttpCaller
  readonly clock: Clock
}

/** A hop and what is to be asked on it. */
export interface HopPlan {
  readonly hop: Hop
  /** What tokens are for; absent, the service's own challenge says it, or `defaultAudience`. */
  readonly audience?: string
  readonly defaultAudience: string
  readonly calls: readonly HarmlessCall[]
  readonly queueCalls: readonly QueueCall[]
}

const namesMs = 2500
const connectMs = 5000
const challengeMs = 2000
const tokenMs = 3500
const callMs = 4000

/** Everything of one hop must be known by then, so that a doctor whose every hop hangs is done in less than 15 seconds. */
const hopMs = 13_000

/**
 * Walks one hop as its job does: name, port, certificate, token, calls; what cannot matter any more is not asked. Changes
 * nothing anywhere, never rejects, and ends within 13 seconds.
 */
export async function gatherHop(
  plan: HopPlan,
  instruments: Instruments,
  tokens: TokenGetter,
  queue: QueueCaller | undefined,
): Promise<HopEvidence> {
  const evidence: { -readonly [Key in keyof HopEvidence]: HopEvidence[Key] } = {
    hop: plan.hop,
    calls: [],
    queueCalls: [],
  }
  const isDone = await within(hopMs, async (signal) => {
    await walk(plan, instruments, { tokens, queue }, signal, evidence)
    return true
  })
  return isDone === true ? evidence : { ...evidence, isLate: true }
}

async function walk(
  { hop, audience, defaultAudience, calls, queueCalls }: HopPlan,
  { resolver, connector, http, clock }: Instruments,
  { tokens, queue }: { readonly tokens: TokenGetter; readonly queue: QueueCaller | undefined },
  signal: AbortSignal,
  evidence: { -readonly [Key in keyof HopEvidence]: HopEvidence[Key] },
): Promise<void> {
  const [names, connection] = await Promise.all([
    within(namesMs, (signal) => resolver.resolve(hop.host, { signal }), signal),
    within(connectMs, (signal) => connector.connect(hop.host, hop.port, { signal }), signal),
  ])
  const known = names ?? { addresses: [], aliases: [], problem: "ETIMEDOUT" }
  evidence.names = { ...known, kind: classifyNames(hop.host, known) }
  evidence.connection = connection ?? { tcp: { problem: "ETIMEDOUT" } }
  if (evidence.names.kind === "none" || isBroken(evidence.connection)) return

  const service = hop.kind === "vault" || hop.kind === "digestKey" ? "vault" : "store"
  const [first] = calls
  if (service === "vault" && first) {
    const challenged = await within(
      challengeMs,
      (signal) => http.call(first, "vault", undefined, { signal }),
      signal,
    )
    if (challenged?.challenge) evidence.challenge = challenged.challenge
  }
  const wanted = audience ?? evidence.challenge?.resource ?? defaultAudience
  const answer = await within(tokenMs, (signal) => tokens.get(wanted, { signal }), signal)
  evidence.token = toTokenEvidence(wanted, answer)
  if (answer === undefined || "problem" in answer) return

  const { token } = answer
  // Kept as they come, so that one call that hangs hides none of the others.
  const answered: CalledHttp[] = []
  const asked = calls.map(async (call, index): Promise<void> => {
    const answer = await within(callMs, (signal) => http.call(call, service, token, { signal }), signal)
    const { name, right, object } = call
    const called: CalledHttp = {
      name,
      right,
      ...(object === undefined ? {} : { object }),
      answer: answer ?? noAnswer(service),
    }
    answered[index] = called
    evidence.calls = Object.values(answered)
    const at = called.answer.serverTime
    if (at) evidence.clockDifferenceMs ??= at.getTime() - clock.now().getTime()
    if (called.answer.challenge) evidence.challenge ??= called.answer.challenge
  })
  const answeredByQueues: CalledQueue[] = []
  const amqp = queueCalls.map(async (call, index): Promise<void> => {
    const answer = await within(callMs + 500, (signal) => queue?.call(call, { signal }), signal)
    const { name, right, queue: queueName } = call
    const called: CalledQueue = {
      name,
      right,
      queue: queueName,
      answer: answer ?? { error: "ERR_QUEUE_UNAVAILABLE" },
    }
    answeredByQueues[index] = called
    evidence.queueCalls = Object.values(answeredByQueues)
  })
  await Promise.all([...asked, ...amqp])
}

function isBroken({ tcp, tls }: NonNullable<HopEvidence["connection"]>): boolean {
  return "problem" in tcp || tls?.problem !== undefined
}

function toTokenEvidence(audience: string, answer: Awaited<ReturnType<TokenGetter["get"]>> | undefined) {
  if (answer === undefined) {
    return { audience, problem: "unreachable", says: "no token came in time" } satisfies TokenEvidence
  }
  if ("problem" in answer) return { audience, ...answer }
  const claims = readTokenClaims(answer.token)
  return { audience, ...(claims ? { claims } : {}) }
}

function noAnswer(service: "vault" | "store"): CallAnswer {
  const error = service === "vault" ? "ERR_VAULT_UNAVAILABLE" : "ERR_STORE_UNAVAILABLE"
  return { code: "ETIMEDOUT", innerCode: "", flags: {}, error }
}
