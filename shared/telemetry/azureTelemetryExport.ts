import type { TokenCredential } from "@azure/core-auth"
import { type PipelinePolicy, RestError } from "@azure/core-rest-pipeline"
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter"
import { type MeterProvider as MeterProviderApi, SpanKind, type TracerProvider } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanProcessor,
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
  /** Told when something could not be sent, and of no further failure until something could. */
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
    additionalPolicies: [{ policy: watchRequests(options.onFailure), position: "perRetry" as const }],
    ...(options.credential ? { credential: options.credential } : {}),
  }
  const { name, instance } = options.service
  const resource = resourceFromAttributes({
    "service.name": name,
    ...(instance === undefined ? {} : { "service.instance.id": instance }),
  })
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new AzureMonitorMetricExporter(exporterOptions),
        exportIntervalMillis: metricPeriodMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  })
  const tracers = new BasicTracerProvider({
    resource,
    ...(options.isSampledByEnvironment ? {} : { sampler: new AlwaysOnSampler() }),
    spanProcessors: [
      nameOperations,
      new BatchSpanProcessor(new AzureMonitorTraceExporter(exporterOptions), {
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

/**
 * The exporter takes what could not be sent for sent where it may not keep it on disk, so the requests are watched
 * themselves, each try.
 */
function watchRequests(onFailure: (error: unknown) => void): PipelinePolicy {
  let isFailing = false
  const tell = (failure: unknown) => {
    if (failure !== undefined && !isFailing) onFailure(failure)
    isFailing = failure !== undefined
  }
  return {
    name: "watchRequests",
    sendRequest: async (request, next) => {
      try {
        const response = await next(request)
        const { status } = response
        tell(status < 400 ? undefined : new RestError("Telemetry was refused", { statusCode: status }))
        return response
      } catch (error) {
        tell(error)
        throw error
      }
    },
  }
}

/** Without it the exporter leaves the operation of a processed message without a name. */
const nameOperations: SpanProcessor = {
  onStart: (span) => {
    if (span.kind === SpanKind.CONSUMER) span.setAttribute("ai.operation.name", span.name)
  },
  onEnd: () => {},
  forceFlush: async () => {},
  shutdown: async () => {},
}
