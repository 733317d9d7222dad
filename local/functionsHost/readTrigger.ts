import { type AppSettings, resolveBindingText } from "./appSettings.ts"
import type { RegisteredFunction } from "./functionsCore.ts"
import { triggerName } from "./invokeFunction.ts"
import { parseSchedule, type Schedule } from "./ncrontab.ts"
import type { RpcBinding } from "./rpcTypes.ts"

/** What a function waits for, read from its trigger binding; settings in `%NAME%` form are resolved. */
export type Trigger = ServiceBusTrigger | TimerTrigger | HttpTrigger

export interface ServiceBusTrigger {
  readonly type: "serviceBusTrigger"
  readonly target: RegisteredFunction
  /** The name of the connection among the app settings. */
  readonly connection: string
  readonly entity: string | { readonly topic: string; readonly subscription: string }
  readonly cardinality: "one" | "many"
  readonly isBinary: boolean
  /** Absent, host.json decides. */
  readonly autoComplete: boolean | undefined
}

export interface TimerTrigger {
  readonly type: "timerTrigger"
  readonly target: RegisteredFunction
  readonly schedule: Schedule
  /** Absent, the status is kept when occurrences are at least a minute apart. */
  readonly useMonitor: boolean | undefined
  readonly runOnStartup: boolean
}

export interface HttpTrigger {
  readonly type: "httpTrigger"
  readonly target: RegisteredFunction
  readonly route: string
  readonly methods: readonly string[]
  readonly authLevel: "anonymous" | "function" | "admin"
}

/** @throws Error that names the function and what of its trigger this host cannot run. */
export function readTrigger(target: RegisteredFunction, settings: AppSettings): Trigger {
  const binding = target.metadata.bindings[triggerName(target)] ?? {}
  switch (binding.type) {
    case "serviceBusTrigger":
      return readServiceBusTrigger(target, binding, settings)
    case "timerTrigger":
      return {
        type: "timerTrigger",
        target,
        schedule: parseSchedule(resolveBindingText(text(binding["schedule"]), settings)),
        useMonitor: flag(binding["useMonitor"]),
        runOnStartup: binding["runOnStartup"] === true,
      }
    case "httpTrigger":
      return readHttpTrigger(target, binding, settings)
    default:
      throw unsupported(target, `has a ${binding.type}`)
  }
}

function readServiceBusTrigger(
  target: RegisteredFunction,
  binding: RpcBinding,
  settings: AppSettings,
): ServiceBusTrigger {
  for (const option of ["isSessionsEnabled", "sdkBinding"]) {
    if (binding[option] === true) throw unsupported(target, `sets ${option}`)
  }
  const resolve = (property: string) => resolveBindingText(text(binding[property]), settings)
  return {
    type: "serviceBusTrigger",
    target,
    connection: text(binding["connection"]) || "ServiceBus",
    entity: binding["topicName"]
      ? { topic: resolve("topicName"), subscription: resolve("subscriptionName") }
      : resolve("queueName"),
    cardinality: text(binding["cardinality"]).toLowerCase() === "many" ? "many" : "one",
    isBinary: text(binding.dataType).toLowerCase() === "binary",
    autoComplete: flag(binding["autoCompleteMessages"]),
  }
}

function readHttpTrigger(
  target: RegisteredFunction,
  binding: RpcBinding,
  settings: AppSettings,
): HttpTrigger {
  const methods: unknown = binding["methods"]
  const authLevel = text(binding["authLevel"]).toLowerCase()
  return {
    type: "httpTrigger",
    target,
    route: resolveBindingText(text(binding["route"]) || target.name, settings),
    methods: Array.isArray(methods) ? methods.map((method) => String(method).toUpperCase()) : [],
    authLevel: authLevel === "anonymous" || authLevel === "admin" ? authLevel : "function",
  }
}

function unsupported({ name }: RegisteredFunction, what: string): Error {
  return new Error(`The function ${name} ${what}, which the local functions host does not support`)
}

function text(value: unknown): string {
  return typeof value === "string" ? value : ""
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined
}
