import { z } from "zod"

/**
 * What parent and child of the functions host say to each other over the IPC channel. Secrets travel here and in
 * the environment, never among the arguments.
 */

export interface HostLog {
  readonly level: "trace" | "debug" | "information" | "warning" | "error" | "critical"
  /** `user`: written by the app. `system`: written by the host or the library. */
  readonly category: "user" | "system"
  readonly function?: string
  readonly invocationId?: string
  readonly message: string
}

export interface HostInvocation {
  readonly function: string
  readonly invocationId: string
  readonly ok: boolean
  readonly ms: number
  /** One line: the code and message of what was thrown. */
  readonly error?: string
}

export interface HostFunction {
  readonly name: string
  /** As `serviceBusTrigger`, `timerTrigger` or `httpTrigger`. */
  readonly type: string
}

const timerStatus = z.object({ last: z.string().optional(), next: z.string() })

const toChild = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("start"),
    appDirectory: z.string(),
    bundle: z.string(),
    port: z.int().optional(),
    functionKey: z.string().optional(),
    runsTimers: z.boolean(),
    timers: z.record(z.string(), timerStatus),
  }),
  z.object({ type: z.literal("runTimer"), id: z.int(), name: z.string() }),
  z.object({ type: z.literal("stop"), limitMs: z.number() }),
])

export type ToChild = z.output<typeof toChild>
export type StartMessage = Extract<ToChild, { type: "start" }>

export type ToParent =
  | { readonly type: "started"; readonly port: number; readonly functions: readonly HostFunction[] }
  | { readonly type: "failed"; readonly message: string }
  | {
      readonly type: "report"
      readonly logs: readonly HostLog[]
      readonly invocations: readonly HostInvocation[]
    }
  | {
      readonly type: "timerStatus"
      readonly name: string
      readonly status: { readonly last?: string | undefined; readonly next: string }
    }
  | { readonly type: "timerRun"; readonly id: number; readonly error?: string }

/** @throws ZodError for a message that is none of the protocol. */
export function parseToChild(message: unknown): ToChild {
  return toChild.parse(message)
}
