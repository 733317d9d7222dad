import { existsSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { type FunctionsCore, installFunctionsCore } from "./functionsCore.ts"
import type { ProgrammingModel, RpcLogCategory, RpcLogLevel } from "./rpcTypes.ts"

export interface LoadAppOptions {
  /** The built entry file: CommonJS or ESM, with `@azure/functions-core` left external. */
  readonly bundle: string
  readonly appDirectory: string
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void
}

export interface LoadedApp {
  readonly core: FunctionsCore
  readonly model: ProgrammingModel
}

/** What the worker tells the host it can do; the app may add to it through `app.setup`. */
const workerCapabilities = {
  RawHttpBodyBytes: "true",
  RpcHttpTriggerMetadataRemoved: "true",
  RpcHttpBodyOnly: "true",
  IgnoreEmptyValuedRpcHttpHeaders: "true",
  UseNullableValueDictionaryForHttp: "true",
  TypedDataCollection: "true",
} as const

/**
 * Loads the app into this process and runs its appStart hooks, in the order of the Functions Node worker: entry
 * file, hooks, capabilities. Call once a process.
 *
 * @throws whatever the entry file or an appStart hook throws; an Error when no function was registered or the
 * app asks for HTTP streaming, which this host does not do.
 */
export async function loadApp({ bundle, appDirectory, log }: LoadAppOptions): Promise<LoadedApp> {
  if (!existsSync(bundle)) throw new Error(`The bundle ${bundle} does not exist; build it first`)
  const core = installFunctionsCore("4.1045.0", log)
  await import(pathToFileURL(bundle).href)
  await core.runHooks("appStart", {
    hookData: {},
    appHookData: core.appHookData,
    functionAppDirectory: appDirectory,
  })
  const model = core.model()
  if (!model || core.functions.size === 0) throw new Error("The app registered no functions")
  const capabilities = await model.getCapabilities?.({ ...workerCapabilities })
  if (capabilities?.["HttpUri"] !== undefined) {
    throw new Error("The app turns on enableHttpStream, which the local functions host does not support")
  }
  core.finishStartup()
  return { core, model }
}
