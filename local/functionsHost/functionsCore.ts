import { registerHooks } from "node:module"
import type {
  FunctionCallback,
  FunctionMetadata,
  ProgrammingModel,
  RpcLogCategory,
  RpcLogLevel,
} from "./rpcTypes.ts"

/** A log line on its way through the app's log hooks, which may change the level and text of user lines. */
interface CoreLog {
  level: RpcLogLevel
  message: string
  readonly category: RpcLogCategory
  readonly invocationContext?: object
}

export interface RegisteredFunction {
  readonly name: string
  readonly metadata: FunctionMetadata
  readonly callback: FunctionCallback
}

/** What an app has told the host through `@azure/functions-core`. */
export interface FunctionsCore {
  readonly functions: ReadonlyMap<string, RegisteredFunction>
  readonly appHookData: Record<string, unknown>
  model(): ProgrammingModel | undefined
  /** Runs the hooks of that name in the order of their registration; the first that throws ends the run. */
  runHooks(name: HookName, context: object): Promise<void>
  /** Runs the log hooks, which are synchronous, and returns the line as they left it. */
  passLog(line: CoreLog): CoreLog
  /** After this, registering a function is an error, as in the worker. */
  finishStartup(): void
}

const hookNames = ["appStart", "appTerminate", "preInvocation", "postInvocation", "log"] as const

type HookName = (typeof hookNames)[number]

type HookCallback = (context: object) => unknown

const moduleName = "@azure/functions-core"
const moduleUrl = "functions-core:core"
/** How the module's source, which runs in the app's CommonJS world, finds the object made here. */
const globalName = Symbol.for("keyvault-change-backup.functions-core")

class Disposable {
  readonly #dispose: () => void
  constructor(dispose: () => void) {
    this.#dispose = dispose
  }
  dispose(): void {
    this.#dispose()
  }
}

/** The library recognises the errors of its host by this flag. */
function systemError<T extends Error>(error: T): T {
  return Object.assign(error, { isAzureFunctionsSystemError: true })
}

/**
 * Serves the module `@azure/functions-core` to whatever this process loads from here on. Call once, before the
 * app is loaded: the library looks for the module the first time a function or hook is registered, and falls
 * back to a mode without a host when there is none.
 *
 * @param log - Takes the lines that the library writes outside of any invocation.
 */
export function installFunctionsCore(
  hostVersion: string,
  log: (level: RpcLogLevel, category: RpcLogCategory, message: string) => void,
): FunctionsCore {
  const functions = new Map<string, RegisteredFunction>()
  const hooks = new Map<string, HookCallback[]>(hookNames.map((name) => [name, []]))
  const appHookData: Record<string, unknown> = {}
  let model: ProgrammingModel | undefined
  let hasFinishedStartup = false

  const core = {
    version: "3.12.0",
    hostVersion,
    Disposable,
    log,
    setProgrammingModel: (programmingModel: ProgrammingModel) => {
      model = programmingModel
    },
    getProgrammingModel: () => model,
    registerHook: (name: string, callback: HookCallback) => {
      const callbacks = hooks.get(name)
      if (!callbacks) throw systemError(new RangeError(`Unrecognized hook "${name}"`))
      callbacks.push(callback)
      return new Disposable(() => {
        callbacks.splice(callbacks.indexOf(callback), 1)
      })
    },
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => {
      if (hasFinishedStartup) {
        throw systemError(new Error("A function can only be registered during app startup."))
      }
      const name = metadata.name ?? metadata.functionId ?? ""
      if (functions.has(name)) {
        throw systemError(new Error(`A function with name "${name}" has already been registered.`))
      }
      functions.set(name, { name, metadata, callback })
      return new Disposable(() => {
        functions.delete(name)
      })
    },
  }
  serveModule(core)

  return {
    functions,
    appHookData,
    model: () => model,
    runHooks: async (name, context) => {
      for (const callback of hooks.get(name) ?? []) await callback(context)
    },
    passLog: (line) => {
      for (const callback of hooks.get("log") ?? []) callback(line)
      return line
    },
    finishStartup: () => {
      hasFinishedStartup = true
    },
  }
}

function serveModule(core: object): void {
  Object.defineProperty(globalThis, globalName, { value: core, configurable: true })
  const source = `module.exports = globalThis[Symbol.for(${JSON.stringify(globalName.description)})]`
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === moduleName
        ? { url: moduleUrl, format: "commonjs", shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === moduleUrl ? { format: "commonjs", source, shortCircuit: true } : next(url, context),
  })
}
