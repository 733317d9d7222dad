import type { TimerHandler } from "@azure/functions"
import { type DigestParts, writeMissingDigests } from "../shared/digest/writeDigests.ts"
import { errorFields, type Log } from "../shared/log.ts"

/** What the timer needs. */
export interface WriteDigestApp {
  readonly log: Log
  /** Opened anew by each run, so that a key file is read as it is that day. */
  readonly openDigests: () => Promise<DigestParts>
}

/** Every day at half past midnight, UTC: the day before is closed then. */
export const digestSchedule = "0 30 0 * * *"

/**
 * Signs the ledger of every closed day that has no digest yet, in order. A run that was cut off, and any number of runs
 * that never came, are made up for by the next. See `docs/formats.md`.
 */
export function createWriteDigestHandler(app: () => WriteDigestApp): TimerHandler {
  return async () => {
    const { log, openDigests } = app()
    try {
      const { lastClosedDay, written } = await writeMissingDigests(await openDigests(), (digest) => {
        log.info("digest.written", { ...digest })
      })
      if (written.length === 0) log.info("digest.upToDate", { day: lastClosedDay })
    } catch (error) {
      log.error("digest.failed", errorFields(error))
      throw error
    }
  }
}
