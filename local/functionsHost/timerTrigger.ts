import { formatDateTimeOffset } from "./hostDate.ts"
import type { Invoke } from "./invokeFunction.ts"
import type { Schedule } from "./ncrontab.ts"
import type { Pump } from "./pump.ts"
import type { TimerTrigger } from "./readTrigger.ts"

/** What a timer remembers between runs, and across restarts of the host. */
export interface TimerStatus {
  /** Absent before the first run. */
  readonly last?: string | undefined
  readonly next: string
}

export interface TimerTriggerOptions {
  readonly trigger: TimerTrigger
  /** Does this host listen for the schedule? One that does not runs the timer on demand only. */
  readonly isListening: boolean
  readonly stored?: TimerStatus | undefined
  readonly invoke: Invoke
  onStatus(status: TimerStatus): void
}

export interface TimerPump extends Pump {
  /** Runs the function at once, after a run that is under way. Rejects with what it throws. */
  runNow(): Promise<void>
}

/** Below the limit of setTimeout, 24.8 days. */
const maxSleepMs = 24 * 86_400_000
const minuteMs = 60_000
const neverRan = "0001-01-01T00:00:00+00:00"

/**
 * Runs a timer function on its schedule. One run at a time: an occurrence that falls into a run waits for its
 * end, and comes then at once; further ones are lost. A host that starts after a missed occurrence runs the
 * function at once, with `isPastDue`. A failed run changes nothing about the schedule. Retry policies of the
 * function are not applied.
 *
 * Source: https://github.com/Azure/azure-webjobs-sdk-extensions (Timers/Listener/TimerListener.cs)
 */
export function startTimerTrigger(options: TimerTriggerOptions): TimerPump {
  const { trigger, stored, invoke } = options
  const { target, schedule } = trigger
  const isMonitored = (trigger.useMonitor ?? true) ? intervalMs(schedule) >= minuteMs : false
  let last = stored?.last
  let next = schedule.next(new Date())
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let busy: Promise<unknown> = Promise.resolve()

  async function invokeTimer(isPastDue: boolean): Promise<void> {
    const status = isMonitored && {
      Last: last ? formatDateTimeOffset(new Date(last)) : neverRan,
      Next: next ? formatDateTimeOffset(next) : neverRan,
      LastUpdated: last ? formatDateTimeOffset(new Date(last)) : neverRan,
    }
    const info = { Schedule: { AdjustForDST: true }, ScheduleStatus: status || null, IsPastDue: isPastDue }
    await invoke(target, () => ({ data: { json: JSON.stringify(info) }, triggerMetadata: {} }))
  }

  /** Runs after whatever runs; at most one at a time. */
  function enqueue(isPastDue: boolean): Promise<void> {
    const run = busy.then(() => invokeTimer(isPastDue))
    busy = run.catch(() => {})
    return run
  }

  async function runScheduled(isPastDue: boolean): Promise<void> {
    // A timer may fire a little early; counting from its due time keeps it from firing twice.
    const due = new Date(Math.max(Date.now(), isPastDue ? 0 : (next?.getTime() ?? 0)))
    await enqueue(isPastDue).catch(() => {})
    last = due.toISOString()
    next = schedule.next(due)
    report()
    sleep()
  }

  function report(): void {
    if (next && isMonitored) options.onStatus({ ...(last && { last }), next: next.toISOString() })
  }

  function sleep(): void {
    if (isStopped || !next) return
    const leftMs = next.getTime() - Date.now()
    timer =
      leftMs > maxSleepMs
        ? setTimeout(sleep, maxSleepMs)
        : setTimeout(() => void runScheduled(false), Math.max(leftMs, 0))
  }

  if (options.isListening) {
    report()
    const isPastDue = isMonitored && stored !== undefined && new Date(stored.next) < new Date()
    if (isPastDue || trigger.runOnStartup) void runScheduled(isPastDue)
    else sleep()
  }
  return {
    runNow: () => enqueue(false),
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await busy
    },
  }
}

function intervalMs(schedule: Schedule): number {
  const first = schedule.next(new Date())
  const second = first && schedule.next(first)
  return first && second ? second.getTime() - first.getTime() : Number.POSITIVE_INFINITY
}
