import { type ChildProcess, fork } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { settledWithin } from "./deadline.ts"
import type { HostFunction, HostInvocation, HostLog, ToChild, ToParent } from "./hostProtocol.ts"
import type { TimerStatus } from "./timerTrigger.ts"

export interface FunctionsHostOptions {
  /** The folder of the app: its `host.json` is read from here, and it is the working directory. */
  readonly appDirectory: string
  /** The built entry file. */
  readonly bundle: string
  /** The app settings. Nothing else of this process's environment but PATH, HOME and TZ reaches the app. */
  readonly env: Readonly<Record<string, string>>
  /** PEM file with the authority that the app's TLS connections shall trust besides the usual ones. */
  readonly caFile: string
  /** Of the HTTP functions; absent, a free one is taken, and kept across restarts. */
  readonly port?: number
  /** Opens HTTP functions of the levels function and admin; absent, they answer 401. */
  readonly functionKey?: string
  /**
   * Of several hosts of one app, the real service lets one listen for timers. False: this one does not, and runs
   * timers on demand only. Default true.
   */
  readonly runsTimers?: boolean
  /** The Node that runs the app; absent, the one that runs this. */
  readonly nodePath?: string
  onLog(line: HostLog): void
  onInvocation?(invocation: HostInvocation): void
}

export interface HostExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One functions host; what is said of the child is of the present one, also after a restart. */
export interface RunningFunctionsHost {
  readonly pid: number
  /** Base of the HTTP functions, without a slash at the end: `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly functions: readonly HostFunction[]
  /** Settles when the present child has ended, by whatever cause. Never rejects. */
  readonly whenExit: Promise<HostExit>
  /** Runs a timer function at once; rejects with its error, or when there is no such function. */
  runTimer(name: string): Promise<void>
  /**
   * Stops receiving, lets running invocations end within `limitMs` (default 10 s), and ends the child with code 0.
   * Safe to call again.
   */
  stop(options?: { readonly limitMs?: number }): Promise<void>
  /** Ends the child as a crash does: SIGKILL. Messages in hand come back when their locks expire. */
  kill(): Promise<void>
  /** Stops the child (unless it is gone) and starts another; rejects as startFunctionsHost does. */
  restart(): Promise<void>
}

interface Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly port: number
  readonly functions: readonly HostFunction[]
  readonly whenExit: Promise<HostExit>
}

const main = fileURLToPath(new URL("main.ts", import.meta.url))
const defaultDrainMs = 10_000
/** What the child may need beyond the drain to close its connections. */
const exitGraceMs = 3000
const passedOn = ["PATH", "HOME", "TZ"] as const

/**
 * Starts the functions host: a child process that loads the built app and runs its triggers as the Functions host
 * and its Node worker do. Resolves when every trigger is listening.
 *
 * @throws Error whose message is `The functions host failed to start: ` and what the app, its appStart hook or the
 * check of a function said.
 */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<RunningFunctionsHost> {
  const timers: Record<string, TimerStatus> = {}
  const runs = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  let lastRun = 0

  const handle = (message: ToParent) => {
    if (message.type === "report") {
      for (const line of message.logs) options.onLog(line)
      for (const invocation of message.invocations) options.onInvocation?.(invocation)
    } else if (message.type === "timerStatus") {
      timers[message.name] = message.status
    } else if (message.type === "timerRun") {
      const run = runs.get(message.id)
      runs.delete(message.id)
      if (message.error === undefined) run?.resolve()
      else run?.reject(new Error(message.error))
    }
  }
  const start = (port: number | undefined) => startChild(options, port, timers, handle)
  let child = await start(options.port)

  async function stop(limitMs = defaultDrainMs): Promise<void> {
    if (!isAlive(child)) return
    send(child, { type: "stop", limitMs })
    if (!(await settledWithin(limitMs + exitGraceMs, child.whenExit))) child.process.kill("SIGKILL")
    await child.whenExit
  }

  return {
    get pid() {
      return child.pid
    },
    get url() {
      return `http://127.0.0.1:${child.port}`
    },
    get functions() {
      return child.functions
    },
    get whenExit() {
      return child.whenExit
    },
    runTimer: async (name) => {
      if (!isAlive(child)) throw new Error("The functions host is not running")
      lastRun += 1
      const id = lastRun
      const answered = new Promise<void>((resolve, reject) => runs.set(id, { resolve, reject }))
      send(child, { type: "runTimer", id, name })
      const gone = child.whenExit.then(() => {
        throw new Error(`The functions host ended while ${name} ran`)
      })
      await Promise.race([answered, gone])
    },
    stop: ({ limitMs } = {}) => stop(limitMs),
    kill: async () => {
      child.process.kill("SIGKILL")
      await child.whenExit
    },
    restart: async () => {
      await stop()
      child = await start(child.port)
    },
  }
}

async function startChild(
  options: FunctionsHostOptions,
  port: number | undefined,
  timers: Readonly<Record<string, TimerStatus>>,
  handle: (message: ToParent) => void,
): Promise<Child> {
  const childProcess = fork(main, [], {
    cwd: options.appDirectory,
    env: childEnvironment(options),
    execPath: options.nodePath ?? process.execPath,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  })
  const whenExit = new Promise<HostExit>((resolve) => {
    childProcess.once("error", () => resolve({ code: null, signal: null }))
    childProcess.once("exit", (code, signal) => resolve({ code, signal }))
  })
  forwardLines(childProcess.stdout, () => "information", options.onLog)
  forwardLines(childProcess.stderr, (line) => (/warn/i.test(line) ? "warning" : "error"), options.onLog)
  const started = new Promise<{ port: number; functions: readonly HostFunction[] }>((resolve, reject) => {
    childProcess.on("message", (message: ToParent) => {
      if (message.type === "started") resolve(message)
      else if (message.type === "failed") reject(failure(message.message))
      else handle(message)
    })
    childProcess.once("error", (error) => reject(failure(error.message)))
    void whenExit.then(({ code, signal }) => reject(failure(`it ended with ${signal ?? `code ${code}`}`)))
  })
  const { pid } = childProcess
  if (pid !== undefined) {
    send(
      { process: childProcess },
      {
        type: "start",
        appDirectory: options.appDirectory,
        bundle: options.bundle,
        port,
        functionKey: options.functionKey,
        runsTimers: options.runsTimers ?? true,
        timers: { ...timers },
      },
    )
  }
  try {
    const { port: opened, functions } = await started
    return { process: childProcess, pid: pid ?? 0, port: opened, functions, whenExit }
  } catch (error) {
    if (!(await settledWithin(exitGraceMs, whenExit))) childProcess.kill("SIGKILL")
    throw error
  }
}

function failure(reason: string): Error {
  return new Error(`The functions host failed to start: ${reason}`)
}

function childEnvironment({ env, caFile }: FunctionsHostOptions): Record<string, string> {
  const inherited = passedOn.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(inherited), ...env, NODE_EXTRA_CA_CERTS: caFile }
}

function isAlive({ process: { exitCode, signalCode } }: Child): boolean {
  return exitCode === null && signalCode === null
}

/** A child that is ending may have closed the channel already; whenExit tells. */
function send({ process: target }: Pick<Child, "process">, message: ToChild): void {
  if (target.connected) target.send(message, () => {})
}

/** What the app prints, as the host takes it: a line of the user's, at a level of the stream's. */
function forwardLines(
  stream: Readable | null,
  levelOf: (line: string) => HostLog["level"],
  onLog: (line: HostLog) => void,
): void {
  if (!stream) return
  createInterface({ input: stream }).on("line", (message) => {
    onLog({ level: levelOf(message), category: "user", message })
  })
}
