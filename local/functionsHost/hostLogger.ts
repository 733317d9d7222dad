import type { HostLog } from "./hostProtocol.ts"
import type { HostReporter } from "./hostReporter.ts"
import { createLogFilter } from "./logFilter.ts"
import type { RpcLogCategory, RpcLogLevel } from "./rpcTypes.ts"

interface LogFacts {
  readonly function?: string
  readonly invocationId?: string
}

/** Writes a line to the parent unless host.json filters it out. */
export type HostLogger = (
  level: RpcLogLevel,
  category: RpcLogCategory,
  message: string,
  facts?: LogFacts,
) => void

/**
 * A logger with the host's own categories: `Function.<name>.User` for what a function writes, `Function.<name>`
 * for what the host says about it, `Worker.User` and `Host` for the rest.
 */
export function createHostLogger(
  levels: Readonly<Record<string, RpcLogLevel>>,
  reporter: HostReporter,
): HostLogger {
  const isWritten = createLogFilter(levels)
  return (level, category, message, facts = {}) => {
    const isUser = category === "user"
    const area = facts.function === undefined ? (isUser ? "Worker" : "Host") : `Function.${facts.function}`
    if (level === "none" || !isWritten(isUser ? `${area}.User` : area, level)) return
    const line: HostLog = { level, category: isUser ? "user" : "system", ...facts, message }
    reporter.log(line)
  }
}
