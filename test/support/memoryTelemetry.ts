import type { Attributes } from "@opentelemetry/api"
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  InstrumentType,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics"
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base"
import type { Clock } from "../../shared/clock.ts"
import type { MessagingConventions } from "../../shared/telemetry/messagingConventions.ts"
import { createTelemetry, type Telemetry } from "../../shared/telemetry/telemetry.ts"
import { fakeClock } from "./fakeClock.ts"

/** The product's telemetry without an SDK behind it, as in a process that exports nothing. */
export function silentTelemetry(): Telemetry {
  return createTelemetry({ clock: fakeClock(), conventions: "old", queue: "changes" })
}

/** The product's telemetry on the real SDK, which exports to memory. */
export function memoryTelemetry(clock: Clock = fakeClock(), conventions: MessagingConventions = "old") {
  const spanExporter = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor(spanExporter)],
  })
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  // As the Azure Monitor exporter asks for it: a gauge that was not observed has no value. Sums go on, for tests that
  // look more than once.
  exporter.selectAggregationTemporality = (type) =>
    type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  const telemetry = createTelemetry({ clock, conventions, queue: "keyvault-changes", meters, tracers })
  const metrics = async (): Promise<readonly MetricData[]> => {
    exporter.reset()
    await reader.forceFlush()
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
  }
  return {
    telemetry,
    /** Spans that have ended, in the order of their ends. */
    spans: (): readonly ReadableSpan[] => spanExporter.getFinishedSpans(),
    metrics,
    /** Values of one metric: a number, or count and sum of a histogram, each with its attributes. */
    points: async (name: string): Promise<readonly MemoryPoint[]> =>
      (await metrics())
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints as DataPoint<unknown>[])
        .map(({ attributes, value }) => ({ attributes, value: plain(value) })),
  }
}

export interface MemoryPoint {
  readonly attributes: Attributes
  readonly value: number | { readonly count: number; readonly sum: number }
}

function plain(value: unknown): MemoryPoint["value"] {
  if (typeof value === "number") return value
  const { count, sum = 0 } = value as { readonly count: number; readonly sum?: number }
  return { count, sum }
}
