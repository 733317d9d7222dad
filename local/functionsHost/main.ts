/**
 * The child process of the functions host: `node local/functionsHost/main.ts`, started by startFunctionsHost
 * with an IPC channel. It exits with 0 after a drain, and with 1 when the app does not start, when it throws where
 * nobody catches, or when the parent is gone.
 */
import { describeError, describeErrorInFull } from "./describeError.ts"
import { parseToChild, type StartMessage } from "./hostProtocol.ts"
import { createHostReporter } from "./hostReporter.ts"
import { type RunningHost, runHost } from "./runHost.ts"

const defaultDrainMs = 10_000

const reporter = createHostReporter()
let host: RunningHost | undefined
let isStopping = false

async function fail(message: string): Promise<never> {
  reporter.send({ type: "failed", message })
  await reporter.flush()
  return leave(1)
}

/** Lets the channel write what it was given, then ends the process whatever else keeps it alive. */
function leave(code: number): Promise<never> {
  return new Promise(() => {
    process.exitCode = code
    const end = () => process.exit(code)
    if (process.connected) process.send?.({ type: "report", logs: [], invocations: [] }, undefined, {}, end)
    else end()
  })
}

async function start(message: StartMessage): Promise<void> {
  try {
    host = await runHost(message, process.env, reporter)
    reporter.send({ type: "started", port: host.port, functions: host.functions })
  } catch (error) {
    await fail(describeErrorInFull(error))
  }
}

async function stop(limitMs: number): Promise<void> {
  if (isStopping) return
  isStopping = true
  await host?.drain(limitMs)
  await reporter.flush()
  await leave(0)
}

async function crash(): Promise<never> {
  await reporter.flush()
  return leave(1)
}

async function runTimer(id: number, name: string): Promise<void> {
  try {
    if (!host) throw new Error("The host is still starting")
    await host.runTimer(name)
    reporter.send({ type: "timerRun", id })
  } catch (error) {
    reporter.send({ type: "timerRun", id, error: describeError(error) })
  }
}

if (!process.send) {
  console.error("This process is started by startFunctionsHost and needs its IPC channel")
  process.exit(1)
}
process.on("message", (message) => {
  const request = parseToChild(message)
  if (request.type === "start") void start(request)
  else if (request.type === "runTimer") void runTimer(request.id, request.name)
  else void stop(request.limitMs)
})
process.on("disconnect", () => process.exit(1))
process.on("SIGTERM", () => void stop(defaultDrainMs))
// Ctrl-C reaches the whole process group; the parent decides when the host is to go.
process.on("SIGINT", () => {})
process.on("uncaughtException", (error) => {
  reporter.log({
    level: "error",
    category: "system",
    message: `Worker uncaught exception: ${describeError(error)}`,
  })
  void crash()
})
