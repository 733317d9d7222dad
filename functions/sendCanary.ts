import type { TimerHandler } from "@azure/functions"
import { type CanaryParts, runCanary } from "../shared/canary/runCanary.ts"
import type { Log } from "../shared/log.ts"
import type { Telemetry } from "../shared/telemetry/telemetry.ts"

/** What the timer needs. */
export interface SendCanaryApp {
  readonly log: Log
  readonly telemetry: Telemetry
  /** Opened by the first run. */
  readonly openCanary: () => CanaryParts
}

/** Every half hour (`canaryPeriodMs`), away from the full hour at which much else happens. */
export const canarySchedule = "0 7,37 * * * *"

/** Sends a canary through the whole pipeline, and fails when it does not arrive. See `docs/runbook.md`. */
export function createSendCanaryHandler(app: () => SendCanaryApp): TimerHandler {
  return async () => {
    const { log, telemetry, openCanary } = app()
    await runCanary(openCanary(), { log, telemetry })
  }
}
