import type { TimerHandler } from "@azure/functions"
import { type BacklogOptions, readBacklog } from "../shared/audit/backlog.ts"
import type { CauseStatus } from "../shared/audit/causes.ts"
import type { Clock } from "../shared/clock.ts"
import { errorFields, type Log } from "../shared/log.ts"
import type { Telemetry } from "../shared/telemetry/telemetry.ts"

/** What the timer needs. */
export interface WatchBacklogApp {
  readonly log: Log
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Opened by the first run. */
  readonly openBacklog: () => BacklogOptions
}

/** Every five minutes. */
export const watchSchedule = "0 */5 * * * *"

/**
 * Writes the signals that alerts are made of, as metrics and as log lines: a line for each cause of deferral, death and quarantine, and one for the
 * oldest change that is not protected, which is there also when there is none. See `docs/runbook.md`.
 */
export function createWatchBacklogHandler(app: () => WatchBacklogApp): TimerHandler {
  return async () => {
    const { log, clock, telemetry, openBacklog } = app()
    try {
      const backlog = await readBacklog(openBacklog())
      const { deferred, deadLettered, quarantined, oldestUnprotected, complete } = backlog
      telemetry.sawBacklog(backlog)
      const ageSeconds = oldestUnprotected
        ? Math.max(0, Math.round((clock.now().getTime() - oldestUnprotected.changedAt.getTime()) / 1000))
        : 0
      log.info("backlog.oldestUnprotected", {
        ageSeconds,
        ...(oldestUnprotected
          ? { object: oldestUnprotected.id, changedAt: oldestUnprotected.changedAt.toISOString() }
          : {}),
        complete,
      })
      for (const cause of deferred) log.warn("backlog.deferred", fieldsOf(cause))
      for (const cause of deadLettered) log.error("backlog.deadLettered", fieldsOf(cause))
      for (const cause of quarantined) log.error("backlog.quarantined", fieldsOf(cause))
    } catch (error) {
      log.error("backlog.unknown", errorFields(error))
      throw error
    }
  }
}

function fieldsOf({ cause, count, oldest, next }: CauseStatus) {
  return {
    cause,
    count,
    ...(oldest ? { oldestAt: oldest.toISOString() } : {}),
    ...(next ? { nextAt: next.toISOString() } : {}),
  }
}
