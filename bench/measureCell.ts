import type { BackUpOne } from "./pipelineTargets.ts"

/** What one scenario did at one level for a while. */
export interface Cell {
  readonly inFlight: number
  readonly backups: number
  /** Started and stored over the whole run, ramp included. */
  readonly allBackups: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the whole process, its crypto threads included. */
  readonly cpuMicrosPerBackup: number
}

const rampMs = 250

/**
 * Keeps `inFlight` backups going for `seconds` and measures those that started after a ramp of 250 ms.
 *
 * @throws whatever a backup throws: a figure that counts failures as work is none.
 */
export async function measureCell(backUpOne: BackUpOne, inFlight: number, seconds: number): Promise<Cell> {
  const startMs = performance.now()
  const fromMs = startMs + rampMs
  const untilMs = fromMs + seconds * 1000
  const latenciesMs: number[] = []
  let cpuFrom: NodeJS.CpuUsage | undefined
  let measuredFromMs = fromMs
  let next = 0
  const worker = async () => {
    for (;;) {
      const beforeMs = performance.now()
      if (beforeMs >= untilMs) return
      if (beforeMs >= fromMs && !cpuFrom) {
        cpuFrom = process.cpuUsage()
        measuredFromMs = beforeMs
      }
      await backUpOne(next++)
      if (beforeMs >= fromMs) latenciesMs.push(performance.now() - beforeMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const elapsedSeconds = (performance.now() - measuredFromMs) / 1000
  const { user, system } = process.cpuUsage(cpuFrom)
  const backups = latenciesMs.length
  latenciesMs.sort((a, b) => a - b)
  return {
    inFlight,
    backups,
    allBackups: next,
    perSecond: backups / elapsedSeconds,
    p50Ms: latenciesMs[Math.floor(backups * 0.5)] ?? Number.NaN,
    p99Ms: latenciesMs[Math.floor(backups * 0.99)] ?? Number.NaN,
    cpuMicrosPerBackup: (user + system) / backups,
  }
}
