import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { TimerHandler } from "@azure/functions"
import { sourceNames } from "../shared/deadLetter/deadLetter.ts"
import { type ReplayParts, runReplay } from "../shared/deadLetter/runReplay.ts"
import { transientCauses } from "../shared/deadLetter/transientCauses.ts"
import { ServiceError } from "../shared/errors.ts"
import { errorFields, type Log } from "../shared/log.ts"
import type { Telemetry } from "../shared/telemetry/telemetry.ts"

/** What the timer needs. */
export interface ReplayDeadLettersApp {
  readonly log: Log
  readonly telemetry: Telemetry
  /** Opened by the first run. */
  readonly openReplay: () => ReplayParts
}

/** Every quarter of an hour. */
export const replaySchedule = "0 */15 * * * *"

/** One run sends at most so many, so slowly that live changes hardly notice. */
const maxMessages = 500
const maxPerSecond = 20
/** Below the function's own limit of ten minutes, together with 25 s of sending. */
const lockPatienceMs = 120_000

/**
 * Replays what failed for a reason that has passed by itself, up to the attempt cap; whatever else is dead waits for
 * `kvbackup replay`. A run that finds another one at work does nothing.
 */
export function createReplayDeadLettersHandler(app: () => ReplayDeadLettersApp): TimerHandler {
  return async () => {
    const { log, telemetry, openReplay } = app()
    try {
      const result = await runReplay(openReplay(), {
        filter: { from: sourceNames, reasons: transientCauses },
        maxPerSecond,
        maxMessages,
        lockPatienceMs,
        run: `auto-${randomUUID()}`,
        host: hostname(),
        newMessageId: randomUUID,
        log,
      })
      telemetry.replayed(result)
    } catch (error) {
      if (error instanceof ServiceError && error.code === "ERR_REPLAY_LEASE_HELD") {
        log.info("replay.anotherRuns", error.details)
        return
      }
      log.error("replay.failed", errorFields(error))
      throw error
    }
  }
}
