import type { Clock } from "../shared/clock.ts"
import type { ReplayProgress } from "../shared/deadLetter/executeReplay.ts"
import type { CommandStreams } from "./commandContext.ts"

/** One line on a terminal that is written over and over; nothing where stderr is no terminal. */
export interface ProgressLine {
  count(what: string, count: number): void
  /** A bar with the rate and the time that is left. */
  progress(progress: ReplayProgress): void
  clear(): void
}

const barWidth = 30
const redrawEveryMs = 100

/** A progress line on the command's stderr. */
export function createProgressLine({ err, isTerminal }: CommandStreams, clock: Clock): ProgressLine {
  if (!isTerminal) return { count: () => {}, progress: () => {}, clear: () => {} }
  let startedAtMs: number | undefined
  let drawnAtMs = 0
  let isShown = false
  const draw = (text: string, isLast: boolean) => {
    const nowMs = clock.now().getTime()
    if (!isLast && nowMs - drawnAtMs < redrawEveryMs) return
    drawnAtMs = nowMs
    isShown = true
    err(`\r\u001B[2K${text}`)
  }
  return {
    count: (what, count) => draw(`${what} ${count}`, false),
    progress: (progress) => {
      const nowMs = clock.now().getTime()
      startedAtMs ??= nowMs
      draw(formatProgress(progress, (nowMs - startedAtMs) / 1000), progress.done >= progress.total)
    },
    clear: () => {
      if (isShown) err("\r\u001B[2K")
      isShown = false
    },
  }
}

/** `[=====     ] 50/100  25/s  2 s left`. */
export function formatProgress({ done, total, waitingFor }: ReplayProgress, seconds: number): string {
  const filled = total === 0 ? barWidth : Math.min(barWidth, Math.round((done / total) * barWidth))
  const bar = `[${"=".repeat(filled)}${" ".repeat(barWidth - filled)}] ${done}/${total}`
  if (waitingFor !== undefined) return `${bar}  ${waitingFor} locked by another receiver, waiting`
  if (seconds <= 0 || done === 0) return bar
  const perSecond = done / seconds
  const left = Math.ceil((total - done) / perSecond)
  return `${bar}  ${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s  ${left} s left`
}
