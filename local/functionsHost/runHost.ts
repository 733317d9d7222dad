import type { ServiceBusClient } from "@azure/service-bus"
import { type AppSettings, isDisabled } from "./appSettings.ts"
import { settledWithin } from "./deadline.ts"
import { describeError } from "./describeError.ts"
import { createHostLogger, type HostLogger } from "./hostLogger.ts"
import type { HostFunction, StartMessage } from "./hostProtocol.ts"
import type { HostReporter } from "./hostReporter.ts"
import { type HostSettings, readHostSettings } from "./hostSettings.ts"
import { startHttpTrigger } from "./httpTrigger.ts"
import { createInvoker, type InvocationResult, type Invoker } from "./invokeFunction.ts"
import { loadApp } from "./loadApp.ts"
import type { Pump } from "./pump.ts"
import { readTrigger, type ServiceBusTrigger, type Trigger } from "./readTrigger.ts"
import { openServiceBusClient } from "./serviceBusConnection.ts"
import { startServiceBusPump } from "./serviceBusPump.ts"
import { startTimerTrigger, type TimerPump } from "./timerTrigger.ts"

export interface RunningHost {
  readonly port: number
  readonly functions: readonly HostFunction[]
  /** Runs a timer function at once; rejects with its error, or when there is no such function. */
  runTimer(name: string): Promise<void>
  /** Stops receiving, lets running invocations end within `limitMs`, and runs the appTerminate hooks. */
  drain(limitMs: number): Promise<void>
}

const closeLimitMs = 500

/**
 * Loads the app and starts all its triggers. Nothing is received before every function has been found sound.
 *
 * @throws what the app throws while it loads or in appStart, and an Error for a function this host cannot run.
 */
export async function runHost(
  start: StartMessage,
  settings: AppSettings,
  reporter: HostReporter,
): Promise<RunningHost> {
  const { appDirectory, bundle } = start
  const host = await readHostSettings(appDirectory)
  const log = createHostLogger(host.logLevels, reporter)
  const app = await loadApp({ bundle, appDirectory, log })
  const invoker = createInvoker({
    app,
    timeoutMs: host.functionTimeoutMs,
    onLog: ({ level, category, message, ...facts }) => log(level, category, message, facts),
    onResult: (result) => reportResult(result, log, reporter),
  })
  const triggers = [...app.core.functions.values()]
    .filter(({ name }) => !isDisabled(name, settings))
    .map((target) => readTrigger(target, settings))
  const clients = openClients(triggers, settings, host)

  const http = await startHttpTrigger({
    triggers: triggers.filter((trigger) => trigger.type === "httpTrigger"),
    routePrefix: host.routePrefix,
    functionKey: start.functionKey,
    port: start.port,
    invoke: invoker.invoke,
  })
  const timers = startTimers(triggers, start, invoker, reporter)
  const queues = triggers
    .filter((trigger) => trigger.type === "serviceBusTrigger")
    .map((trigger) => startQueue(trigger, clients, host, invoker, log))

  return {
    port: http.port,
    functions: triggers.map(({ target, type }) => ({ name: target.name, type })),
    runTimer: async (name) => {
      const timer = timers.get(name)
      if (!timer) throw new Error(`There is no timer function ${name}`)
      await timer.runNow()
    },
    drain: async (limitMs) => {
      const pumps = [...queues, ...timers.values(), http]
      const stopped = Promise.all([...pumps.map((pump) => pump.stop()), invoker.idle()])
      if (!(await settledWithin(limitMs, stopped))) {
        log("warning", "system", `Stopped after ${limitMs} ms with ${invoker.running()} invocations running`)
      }
      const terminated = app.core.runHooks("appTerminate", {
        hookData: {},
        appHookData: app.core.appHookData,
      })
      await settledWithin(closeLimitMs, terminated)
      await settledWithin(closeLimitMs, Promise.all([...clients.values()].map((client) => client.close())))
    },
  }
}

function reportResult({ error, ...result }: InvocationResult, log: HostLogger, reporter: HostReporter): void {
  if (result.ok) {
    reporter.invocation(result)
    return
  }
  const text = describeError(error)
  reporter.invocation({ ...result, error: text })
  log("error", "system", `Executed '${result.function}' (Failed): ${text}`, {
    function: result.function,
    invocationId: result.invocationId,
  })
}

/** One client, hence one connection, for all functions that name the same connection. */
function openClients(
  triggers: readonly Trigger[],
  settings: AppSettings,
  host: HostSettings,
): ReadonlyMap<string, ServiceBusClient> {
  const names = triggers.flatMap((trigger) =>
    trigger.type === "serviceBusTrigger" ? [trigger.connection] : [],
  )
  return new Map(
    [...new Set(names)].map((name) => [name, openServiceBusClient(name, settings, host.serviceBus)]),
  )
}

function startQueue(
  trigger: ServiceBusTrigger,
  clients: ReadonlyMap<string, ServiceBusClient>,
  host: HostSettings,
  { invoke }: Invoker,
  log: HostLogger,
): Pump {
  const client = clients.get(trigger.connection)
  if (!client) throw new TypeError(`No client for the connection ${trigger.connection}`)
  return startServiceBusPump({
    trigger,
    client,
    settings: host.serviceBus,
    invoke,
    log: (message) => log("error", "system", message, { function: trigger.target.name }),
  })
}

function startTimers(
  triggers: readonly Trigger[],
  { runsTimers, timers }: StartMessage,
  { invoke }: Invoker,
  reporter: HostReporter,
): ReadonlyMap<string, TimerPump> {
  const started = triggers
    .filter((trigger) => trigger.type === "timerTrigger")
    .map((trigger) => {
      const { name } = trigger.target
      const pump = startTimerTrigger({
        trigger,
        isListening: runsTimers,
        stored: timers[name],
        invoke,
        onStatus: (status) => reporter.send({ type: "timerStatus", name, status }),
      })
      return [name, pump] as const
    })
  return new Map(started)
}
