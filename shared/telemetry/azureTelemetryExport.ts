import type { TokenCredential } from "@azure/core-auth"
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter"
import type { MeterProvider as MeterProviderApi, TracerProvider } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics"
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base"

export interface TelemetryExportOptions {
  /** `InstrumentationKey=…;IngestionEndpoint=https://…`. */
  readonly connectionString: string
  /** Absent, the instrumentation key alone opens the resource, where that is not switched off. */
  readonly credential?: TokenCredential
  /** Name and instance of the app, as its traces show it. */
  readonly service: { readonly name: string; readonly instance?: string }
  /** The sampler of `OTEL_TRACES_SAMPLER` in place of one that takes every trace. */
  readonly isSampledByEnvironment: boolean
  /** Told when an export fails, and of no further failure until one has succeeded. */
  readonly onFailure: (error: unknown) => void
}

/** Where telemetry goes, and its end. */
export interface TelemetryExport {
  readonly meters: MeterProviderApi
  readonly tracers: TracerProvider
  /** Sends what is left and ends. Rejects with whatever the exporters do. Safe to call again. */
  readonly close: () => Promise<void>
}

const metricPeriodMs = 60_000
const exportTimeoutMs = 20_000

/**
 * Exports to Azure Monitor. What cannot be sent is dropped: nothing is written to the disk of the app, and nothing waits
 * for it. Heavy to load, so it is a bundle of its own, which is loaded only where it is configured.
 *
 * Every trace is taken, whatever the sender of a message had decided about its own.
 *
 * @throws Error for a connection string that the exporter does not take.
 */
export function startAzureTelemetryExport(options: TelemetryExportOptions): TelemetryExport {
  // The exporter's reports about itself go to hosts of their own, which a network without ways out refuses for ever.
  process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] ??= "1"
  const exporterOptions = {
    connectionString: options.connectionString,
    disableOfflineStorage: true,
    ...(options.credential ? { credential: options.credential } : {}),
  }
  const { name, instance } = options.service
  const resource = resourceFromAttributes({
    "service.name": name,
    ...(instance === undefined ? {} : { "service.instance.id": instance }),
  })
  const report = createFailureReport(options.onFailure)
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: watched<PushMetricExporter>(new AzureMonitorMetricExporter(exporterOptions), report),
        exportIntervalMillis: metricPeriodMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  })
  const tracers = new BasicTracerProvider({
    resource,
    ...(options.isSampledByEnvironment ? {} : { sampler: new AlwaysOnSampler() }),
    spanProcessors: [
      new BatchSpanProcessor(watched<SpanExporter>(new AzureMonitorTraceExporter(exporterOptions), report), {
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  })
  return {
    meters,
    tracers,
    close: async () => {
      await Promise.all([meters.shutdown(), tracers.shutdown()])
    },
  }
}

interface ExportResult {
  readonly code: number
  readonly error?: Error
}

/** The exporter, with the result of each export also reported. */
function watched<Exporter extends PushMetricExporter | SpanExporter>(
  exporter: Exporter,
  report: (result: ExportResult) => void,
): Exporter {
  const send = exporter.export.bind(exporter) as (
    batch: unknown,
    done: (result: ExportResult) => void,
  ) => void
  exporter.export = ((batch: unknown, done: (result: ExportResult) => void) => {
    send(batch, (result) => {
      report(result)
      done(result)
    })
  }) as Exporter["export"]
  return exporter
}

function createFailureReport(onFailure: (error: unknown) => void): (result: ExportResult) => void {
  let isFailing = false
  return ({ code, error }) => {
    const hasFailed = code !== 0
    if (hasFailed && !isFailing) onFailure(error)
    isFailing = hasFailed
  }
}
