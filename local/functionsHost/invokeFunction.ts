import { randomBytes, randomUUID } from "node:crypto"
import type { LoadedApp } from "./loadApp.ts"
import type { RegisteredFunction } from "./functionsCore.ts"
import type {
  CoreInvocationContext,
  InvocationModel,
  InvocationResponse,
  RpcLogCategory,
  RpcLogLevel,
  RpcTypedData,
} from "./rpcTypes.ts"

/** What a trigger gives to one invocation: the value of its binding and the facts around it. */
export interface TriggerInput {
  readonly data: RpcTypedData
  readonly triggerMetadata: Readonly<Record<string, RpcTypedData>>
}

interface InvocationLog {
  readonly level: RpcLogLevel
  readonly category: RpcLogCategory
  readonly message: string
  readonly function: string
  readonly invocationId: string
}

export interface InvocationResult {
  readonly function: string
  readonly invocationId: string
  readonly ok: boolean
  readonly ms: number
  readonly error?: unknown
}

/**
 * Runs one function once. `bind` makes the input, and is part of the invocation: its failure is the invocation's.
 * Rejects with what `bind`, the function, a hook or a converter threw, after it was reported.
 */
export type Invoke = (target: RegisteredFunction, bind: () => TriggerInput) => Promise<InvocationResponse>

export interface InvokerOptions {
  readonly app: LoadedApp
  readonly timeoutMs: number | undefined
  onLog(line: InvocationLog): void
  onResult(result: InvocationResult): void
}

export interface Invoker {
  readonly invoke: Invoke
  /** How many invocations run at this moment. */
  running(): number
  /** Resolves when none runs any more. */
  idle(): Promise<void>
}

/**
 * Makes the function that runs invocations as the Functions Node worker does: the library converts the input,
 * then come the preInvocation hooks, the handler, the postInvocation hooks (also after a failure), and the
 * library converts the result.
 *
 * A function that runs longer than `timeoutMs` is given up: the invocation fails, and what it still does goes
 * on unwatched. (The real host ends the worker process.)
 *
 * Source: https://github.com/Azure/azure-functions-nodejs-worker (src/eventHandlers/InvocationHandler.ts)
 */
export function createInvoker({ app, timeoutMs, onLog, onResult }: InvokerOptions): Invoker {
  let running = 0
  let waiting: (() => void)[] = []

  const invoke: Invoke = async (target, bind) => {
    const invocationId = randomUUID()
    const started = performance.now()
    const report = (ok: boolean, error?: unknown) =>
      onResult({ function: target.name, invocationId, ok, ms: performance.now() - started, error })
    running += 1
    try {
      const response = await within(timeoutMs, target.name, run(app, target, bind, invocationId, onLog))
      report(true)
      return response
    } catch (error) {
      report(false, error)
      throw error
    } finally {
      running -= 1
      if (running === 0) {
        for (const resolve of waiting) resolve()
        waiting = []
      }
    }
  }

  return {
    invoke,
    running: () => running,
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

async function run(
  { core, model }: LoadedApp,
  target: RegisteredFunction,
  bind: () => TriggerInput,
  invocationId: string,
  onLog: (line: InvocationLog) => void,
): Promise<InvocationResponse> {
  const { data, triggerMetadata } = bind()
  let context: object | undefined
  const coreContext: CoreInvocationContext = {
    invocationId,
    request: {
      invocationId,
      functionId: target.name,
      inputData: [{ name: triggerName(target), data }],
      triggerMetadata,
      traceContext: newTraceContext(),
    },
    metadata: target.metadata,
    state: undefined,
    log: (level, category, message) => {
      const line = core.passLog({ level, category, message, ...(context && { invocationContext: context }) })
      onLog({ level: line.level, category, message: line.message, function: target.name, invocationId })
    },
  }
  const invocation: InvocationModel = model.getInvocationModel(coreContext)
  const args = await invocation.getArguments()
  context = args.context
  const shared = { hookData: {}, appHookData: core.appHookData, invocationContext: context }

  const before = { ...shared, inputs: args.inputs, functionCallback: target.callback }
  coreContext.state = "preInvocationHooks"
  await core.runHooks("preInvocation", before)

  const after: typeof shared & { inputs: unknown[]; result: unknown; error: unknown } = {
    ...shared,
    inputs: before.inputs,
    result: null,
    error: null,
  }
  coreContext.state = "invocation"
  try {
    after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback)
  } catch (error) {
    // As in the worker, a handler that throws null or undefined counts as one that returned.
    after.error = error
  }
  coreContext.state = "postInvocationHooks"
  await core.runHooks("postInvocation", after)
  coreContext.state = undefined
  if (after.error !== null && after.error !== undefined) throw after.error
  return invocation.getResponse(context, after.result)
}

/** The name of the trigger among the bindings of a function. */
export function triggerName({ name, metadata }: RegisteredFunction): string {
  const found = Object.entries(metadata.bindings).find(([, { type }]) => /trigger$/i.test(type ?? ""))
  if (!found) throw new TypeError(`The function ${name} has no trigger`)
  return found[0]
}

/** Ids of a trace that nobody samples, in the form of W3C Trace Context. */
function newTraceContext(): { traceParent: string; traceState: string } {
  const ids = randomBytes(24).toString("hex")
  return { traceParent: `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`, traceState: "" }
}

async function within<T>(limitMs: number | undefined, name: string, work: Promise<T>): Promise<T> {
  if (limitMs === undefined) return work
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Timeout value of ${limitMs} ms exceeded by function ${name}`))
    }, limitMs)
    timer.unref()
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
