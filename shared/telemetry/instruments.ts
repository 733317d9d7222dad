import type { Counter, Histogram, Meter, ObservableGauge } from "@opentelemetry/api"

/** What the documentation, the tests and the SDK have to know of one metric. */
export interface MetricDescription {
  readonly kind: "counter" | "histogram" | "gauge"
  /** As UCUM writes it. */
  readonly unit: string
  readonly description: string
  /** Every attribute that a value may carry. Few values each: no name of an object, no id. */
  readonly attributes: readonly string[]
  /** Upper bounds, in the unit. */
  readonly buckets?: readonly number[]
}

/** From what a fast backup takes to a change that waited for days; the default objective, 60 s, is a bound. */
const waitBuckets = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400]
const callBuckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60]

/** Every metric, by name; `docs/telemetry.md` tells them for people. */
export const metricDescriptions = {
  "kvbackup.changes": {
    kind: "counter",
    unit: "{change}",
    description: "Changes handled, by what became of them",
    attributes: ["kvbackup.outcome", "kvbackup.origin", "kvbackup.vault", "error.type"],
  },
  "kvbackup.change.latency": {
    kind: "histogram",
    unit: "s",
    description: "From the event of a change to the PUT that stored it",
    attributes: ["kvbackup.origin", "kvbackup.vault", "kvbackup.deferred"],
    buckets: waitBuckets,
  },
  "kvbackup.stage.duration": {
    kind: "histogram",
    unit: "s",
    description: "Time in one stage of a backup",
    attributes: ["kvbackup.stage", "error.type"],
    buckets: callBuckets,
  },
  "kvbackup.deferral.delay": {
    kind: "histogram",
    unit: "s",
    description: "Deferrals, by cause, and how long until the next attempt",
    attributes: ["error.type"],
    buckets: waitBuckets,
  },
  "kvbackup.quarantined": {
    kind: "counter",
    unit: "{message}",
    description: "Messages sent to quarantine, by cause",
    attributes: ["error.type"],
  },
  "kvbackup.backlog.messages": {
    kind: "gauge",
    unit: "{message}",
    description: "Messages that wait, by where and cause",
    attributes: ["kvbackup.backlog", "kvbackup.cause"],
  },
  "kvbackup.backlog.oldest_unprotected_age": {
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest change in any queue that is not stored; 0 when each is",
    attributes: [],
  },
  "kvbackup.canary.age": {
    kind: "gauge",
    unit: "s",
    description: "Since the change of the newest canary that is in the store",
    attributes: [],
  },
  "kvbackup.canary.runs": {
    kind: "counter",
    unit: "{run}",
    description: "Canaries, by how they ended",
    attributes: ["kvbackup.canary.result", "error.type"],
  },
  "kvbackup.replay.messages": {
    kind: "counter",
    unit: "{message}",
    description: "Messages that the function replayDeadLetters handled, by what became of them",
    attributes: ["kvbackup.replay.result"],
  },
  "kvbackup.vault.limit": {
    kind: "gauge",
    unit: "{call}",
    description: "Calls to a vault that may be under way at once",
    attributes: ["kvbackup.vault"],
  },
  "kvbackup.vault.in_flight": {
    kind: "gauge",
    unit: "{call}",
    description: "Calls to a vault under way",
    attributes: ["kvbackup.vault"],
  },
  "kvbackup.vault.throttled": {
    kind: "counter",
    unit: "{call}",
    description: "Calls that a vault answered with 429",
    attributes: ["kvbackup.vault"],
  },
} as const satisfies Record<string, MetricDescription>

export type MetricName = keyof typeof metricDescriptions

/** The counter of that name. */
export function createCounter(meter: Meter, name: MetricName): Counter {
  const { unit, description } = metricDescriptions[name]
  return meter.createCounter(name, { unit, description })
}

/** The histogram of that name, with its own buckets. */
export function createHistogram(meter: Meter, name: MetricName): Histogram {
  const { unit, description, buckets }: MetricDescription = metricDescriptions[name]
  const advice = { explicitBucketBoundaries: [...(buckets ?? [])] }
  return meter.createHistogram(name, { unit, description, advice })
}

/** The gauge of that name, which is asked when metrics are collected. */
export function createGauge(meter: Meter, name: MetricName): ObservableGauge {
  const { unit, description } = metricDescriptions[name]
  return meter.createObservableGauge(name, { unit, description })
}
