import type { Meter } from "@opentelemetry/api"
import type { Backlog } from "../audit/backlog.ts"
import { canaryAgeLimitMs, canaryPeriodMs } from "../audit/canary.ts"
import type { CauseStatus } from "../audit/causes.ts"
import type { Clock } from "../clock.ts"
import { isErrorCode } from "../errors.ts"
import { createGauge } from "./instruments.ts"

/** What timers found out last, for gauges. */
export interface LastKnownGauges {
  readonly sawBacklog: (backlog: Backlog) => void
  readonly sawCanary: (changedAt: Date) => void
}

/** Two runs of `watchBacklog` and a minute. */
const backlogFreshMs = 11 * 60_000
/** Ends before a canary would be too old: of several instances only the one whose timer runs may raise an alarm. */
const canaryFreshMs = Math.min(2 * canaryPeriodMs + 5 * 60_000, canaryAgeLimitMs)

/** Causes that the broker names. Any other that is not a code of ours was written by a stranger. */
const brokerCauses: ReadonlySet<string> = new Set([
  "MaxDeliveryCountExceeded",
  "TTLExpiredException",
  "HeaderSizeExceeded",
  "MaxTransferHopCountExceeded",
])

/**
 * Gauges over what was seen last. A value that is no longer fresh is not given at all, so that an instance whose timer
 * has moved to another one does not contradict it; an alert also has to hold when there is no value.
 */
export function createLastKnownGauges(meter: Meter, clock: Clock): LastKnownGauges {
  let backlog: { readonly value: Backlog; readonly atMs: number } | undefined
  let canary: { readonly changedAt: Date; readonly atMs: number } | undefined
  const nowMs = () => clock.now().getTime()
  const secondsSince = (time: Date) => Math.max(0, (nowMs() - time.getTime()) / 1000)
  const fresh = <T extends { readonly atMs: number }>(seen: T | undefined, freshMs: number) =>
    seen && nowMs() - seen.atMs <= freshMs ? seen : undefined

  createGauge(meter, "kvbackup.backlog.messages").addCallback((result) => {
    const known = fresh(backlog, backlogFreshMs)
    if (!known) return
    const { deferred, deadLettered, quarantined } = known.value
    const places = { deferred, deadLettered, quarantined }
    for (const [place, causes] of Object.entries(places)) {
      for (const [cause, count] of sumCauses(causes)) {
        result.observe(count, { "kvbackup.backlog": place, "kvbackup.cause": cause })
      }
    }
  })
  createGauge(meter, "kvbackup.backlog.oldest_unprotected_age").addCallback((result) => {
    const known = fresh(backlog, backlogFreshMs)
    if (!known) return
    // The age as of the look: what was in hand then may be stored long since, and must not grow old here.
    const { oldestUnprotected } = known.value
    const ageMs = oldestUnprotected ? known.atMs - oldestUnprotected.changedAt.getTime() : 0
    result.observe(Math.max(0, ageMs / 1000))
  })
  createGauge(meter, "kvbackup.canary.age").addCallback((result) => {
    const known = fresh(canary, canaryFreshMs)
    if (known) result.observe(secondsSince(known.changedAt))
  })
  return {
    sawBacklog: (value) => {
      backlog = { value, atMs: nowMs() }
    },
    sawCanary: (changedAt) => {
      canary = { changedAt, atMs: nowMs() }
    },
  }
}

function sumCauses(causes: readonly CauseStatus[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { cause, count } of causes) {
    const name = isErrorCode(cause) || brokerCauses.has(cause) ? cause : "other"
    sums.set(name, (sums.get(name) ?? 0) + count)
  }
  return sums
}
