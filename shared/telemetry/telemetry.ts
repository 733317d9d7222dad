import { metrics, type MeterProvider, trace, type TracerProvider } from "@opentelemetry/api"
import type { Clock } from "../clock.ts"
import type { ReplayResult } from "../deadLetter/executeReplay.ts"
import type { ErrorCode } from "../errors.ts"
import { createCounter, createGauge } from "./instruments.ts"
import { createLastKnownGauges, type LastKnownGauges } from "./lastKnownGauges.ts"
import { type MessageTrace, startMessageTrace, type TracedMessage } from "./messageTrace.ts"
import type { MessagingConventions } from "./messagingConventions.ts"
import { createWorkMetrics, type WorkMetrics } from "./workMetrics.ts"

/** What of a replay's result counts messages. */
const replayResults = [
  "sent",
  "removed",
  "quarantined",
  "unconfirmed",
  "refused",
  "vanished",
  "undone",
] as const

/** How one canary ended; `failed`: it could not be set, or the store not be looked at. */
export type CanaryResult = "proved" | "late" | "failed"

/** What a limiter tells of one vault. */
export interface LimiterState {
  readonly limitOf: (host: string) => number
  readonly inFlightOf: (host: string) => number
}

/** Everything the worker tells of itself. Nothing here throws, waits, or changes what the worker does. */
export interface Telemetry extends Pick<WorkMetrics, "deferred" | "quarantined">, LastKnownGauges {
  readonly startMessage: (message: Omit<TracedMessage, "queue">) => MessageTrace
  readonly canaryRan: (result: CanaryResult, code?: ErrorCode) => void
  readonly replayed: (result: Pick<ReplayResult, (typeof replayResults)[number]>) => void
  /** A call to the vault at `host` was answered with 429. */
  readonly throttled: (host: string) => void
  /** Shows the state of a limiter for these hosts whenever metrics are collected. */
  readonly watchLimiter: (limiter: LimiterState, hosts: readonly string[]) => void
}

export interface TelemetryOptions {
  readonly clock: Clock
  readonly conventions: MessagingConventions
  /** Name of the queue that messages come from. */
  readonly queue: string
  /** Default: the providers that are registered in this process, which do nothing where there are none. */
  readonly meters?: MeterProvider
  readonly tracers?: TracerProvider
}

/** The name of the instrumentation, as scope of every metric and span. */
const scope = "keyvault-change-backup"

/** Telemetry through the OpenTelemetry API alone: who exports it, and whether anybody does, is not its business. */
export function createTelemetry({
  clock,
  conventions,
  queue,
  meters = metrics.getMeterProvider(),
  tracers = trace.getTracerProvider(),
}: TelemetryOptions): Telemetry {
  const meter = meters.getMeter(scope)
  const tracer = tracers.getTracer(scope)
  const work = createWorkMetrics(meter)
  const canaries = createCounter(meter, "kvbackup.canary.runs")
  const replays = createCounter(meter, "kvbackup.replay.messages")
  const throttled = createCounter(meter, "kvbackup.vault.throttled")
  return {
    ...createLastKnownGauges(meter, clock),
    startMessage: (message) => startMessageTrace(tracer, work, conventions, { ...message, queue }),
    deferred: work.deferred,
    quarantined: work.quarantined,
    canaryRan: (result, code) =>
      canaries.add(1, {
        "kvbackup.canary.result": result,
        ...(code === undefined ? {} : { "error.type": code }),
      }),
    replayed: (counts) => {
      for (const result of replayResults) {
        if (counts[result] > 0) replays.add(counts[result], { "kvbackup.replay.result": result })
      }
    },
    throttled: (host) => throttled.add(1, { "kvbackup.vault": host }),
    watchLimiter: ({ limitOf, inFlightOf }, hosts) => {
      const show = (
        name: "kvbackup.vault.limit" | "kvbackup.vault.in_flight",
        of: (host: string) => number,
      ) =>
        createGauge(meter, name).addCallback((result) => {
          for (const host of hosts) result.observe(of(host), { "kvbackup.vault": host })
        })
      show("kvbackup.vault.limit", limitOf)
      show("kvbackup.vault.in_flight", inFlightOf)
    },
  }
}
