import { readFile } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import type { RpcLogLevel } from "./rpcTypes.ts"

/** What the host takes from `host.json`; every duration in milliseconds. */
export interface HostSettings {
  /** Undefined: an invocation may run for ever. */
  readonly functionTimeoutMs: number | undefined
  readonly routePrefix: string
  readonly logLevels: Readonly<Record<string, RpcLogLevel>>
  readonly serviceBus: ServiceBusSettings
}

export interface ServiceBusSettings {
  readonly maxConcurrentCalls: number
  readonly autoCompleteMessages: boolean
  readonly maxAutoLockRenewalMs: number
  readonly maxMessageBatchSize: number
  readonly maxBatchWaitMs: number
  readonly retry: {
    readonly mode: "exponential" | "fixed"
    readonly tryTimeoutMs: number
    readonly delayMs: number
    readonly maxDelayMs: number
    readonly maxRetries: number
  }
}

/** `[d.]hh:mm:ss[.fraction]`, the form of .NET's TimeSpan, as milliseconds; undefined when it is none. */
export function parseTimeSpan(text: string): number | undefined {
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,7})?))?$/.exec(text)
  if (!match) return undefined
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match
  return Math.round(
    ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000,
  )
}

const duration = z.string().transform((text, context) => {
  const ms = parseTimeSpan(text)
  if (ms !== undefined) return ms
  context.addIssue({ code: "custom", message: "must be a time span such as 00:05:00" })
  return z.NEVER
})

const logLevelNames: Readonly<Record<string, RpcLogLevel>> = {
  trace: "trace",
  debug: "debug",
  information: "information",
  warning: "warning",
  error: "error",
  critical: "critical",
  none: "none",
}

const logLevel = z.string().transform((text, context) => {
  const level = logLevelNames[text.toLowerCase()]
  if (level) return level
  context.addIssue({ code: "custom", message: "is no log level" })
  return z.NEVER
})

const schema = z.object({
  version: z.literal("2.0"),
  functionTimeout: z.union([z.literal("-1").transform(() => undefined), duration]).optional(),
  logging: z.object({ logLevel: z.record(z.string(), logLevel).optional() }).optional(),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().optional() }).optional(),
      serviceBus: z
        .object({
          maxConcurrentCalls: z.int().positive().optional(),
          autoCompleteMessages: z.boolean().optional(),
          maxAutoLockRenewalDuration: duration.optional(),
          maxMessageBatchSize: z.int().positive().optional(),
          maxBatchWaitTime: duration.optional(),
          clientRetryOptions: z
            .object({
              mode: z.enum(["exponential", "fixed", "Exponential", "Fixed"]).optional(),
              tryTimeout: duration.optional(),
              delay: duration.optional(),
              maxDelay: duration.optional(),
              maxRetries: z.int().nonnegative().optional(),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
})

/**
 * Reads `host.json`. What is absent has the default of the Functions host 4 with the Service Bus extension 5;
 * what this host does not use is ignored.
 *
 * @throws Error that names the file and every wrong setting.
 *
 * Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json and
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus#hostjson-settings
 */
export async function readHostSettings(appDirectory: string): Promise<HostSettings> {
  const file = join(appDirectory, "host.json")
  const parsed = schema.safeParse(JSON.parse(await readFile(file, "utf8")))
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
    throw new Error(`${file} is not valid: ${issues.join("; ")}`)
  }
  const { functionTimeout, logging, extensions } = parsed.data
  const { serviceBus = {} } = extensions ?? {}
  const { clientRetryOptions: retry = {} } = serviceBus
  return {
    functionTimeoutMs: functionTimeout,
    routePrefix: extensions?.http?.routePrefix ?? "api",
    logLevels: logging?.logLevel ?? {},
    serviceBus: {
      maxConcurrentCalls: serviceBus.maxConcurrentCalls ?? 16 * availableParallelism(),
      autoCompleteMessages: serviceBus.autoCompleteMessages ?? true,
      maxAutoLockRenewalMs: serviceBus.maxAutoLockRenewalDuration ?? 300_000,
      maxMessageBatchSize: serviceBus.maxMessageBatchSize ?? 1000,
      maxBatchWaitMs: serviceBus.maxBatchWaitTime ?? 30_000,
      retry: {
        mode: retry.mode?.toLowerCase() === "fixed" ? "fixed" : "exponential",
        tryTimeoutMs: retry.tryTimeout ?? 60_000,
        delayMs: retry.delay ?? 800,
        maxDelayMs: retry.maxDelay ?? 60_000,
        maxRetries: retry.maxRetries ?? 3,
      },
    },
  }
}
