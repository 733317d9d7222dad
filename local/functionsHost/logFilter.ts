import type { RpcLogLevel } from "./rpcTypes.ts"

const order: readonly RpcLogLevel[] = [
  "trace",
  "debug",
  "information",
  "warning",
  "error",
  "critical",
  "none",
]

/** Is a line of `level` in the host's category `category` (as `Function.backupVersion.User`) written? */
export type LogFilter = (category: string, level: RpcLogLevel) => boolean

/**
 * The `logging.logLevel` section of host.json as a filter: the entry that is the longest prefix of the category
 * decides, else `default`, else Information.
 */
export function createLogFilter(levels: Readonly<Record<string, RpcLogLevel>>): LogFilter {
  const thresholds = new Map<string, number>()
  const prefixes = Object.keys(levels)
    .filter((name) => name.toLowerCase() !== "default")
    .sort((a, b) => b.length - a.length)
  const fallback = levels["default"] ?? levels["Default"] ?? "information"

  const thresholdOf = (category: string): number => {
    const known = thresholds.get(category)
    if (known !== undefined) return known
    const prefix = prefixes.find((name) => category === name || category.startsWith(`${name}.`))
    const threshold = order.indexOf((prefix && levels[prefix]) || fallback)
    thresholds.set(category, threshold)
    return threshold
  }
  return (category, level) => level !== "none" && order.indexOf(level) >= thresholdOf(category)
}
