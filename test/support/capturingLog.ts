import { createLog, type Log, type LogLevel } from "../../shared/log.ts"
import { fakeClock } from "./fakeClock.ts"

/** The product's own log, whose lines are kept: as text to search, and parsed. */
export interface CapturingLog extends Log {
  readonly lines: readonly string[]
  entries(): readonly ({ readonly level: LogLevel; readonly event: string } & Record<string, unknown>)[]
}

/** An empty log. */
export function capturingLog(): CapturingLog {
  const lines: string[] = []
  const log = createLog((_level, line) => lines.push(line), fakeClock())
  return {
    ...log,
    lines,
    entries: () => lines.map((line) => JSON.parse(line) as ReturnType<CapturingLog["entries"]>[number]),
  }
}
