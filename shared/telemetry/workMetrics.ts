import type { Attributes, Meter } from "@opentelemetry/api"
import type { BackupStage } from "../backup/backupObserver.ts"
import type { Outcome } from "../backup/outcome.ts"
import type { Origin } from "../change/change.ts"
import type { ErrorCode } from "../errors.ts"
import type { LedgerEntry } from "../store/ledgerEntry.ts"
import { createCounter, createHistogram } from "./instruments.ts"

/** What is counted and timed while messages are handled. Durations come in milliseconds. */
export interface WorkMetrics {
  /** @param change - absent for an item that names none. */
  readonly countOutcome: (
    outcome: Outcome,
    change: { readonly host: string; readonly origin: Origin } | undefined,
  ) => void
  /** From event to PUT, by the very entry that the ledger keeps; nothing for a change without an event. */
  readonly timeChange: (entry: LedgerEntry, host: string) => void
  readonly timeStage: (stage: BackupStage, ms: number, code: ErrorCode | undefined) => void
  readonly deferred: (code: ErrorCode, delayMs: number) => void
  readonly quarantined: (code: ErrorCode) => void
}

/** The instruments of the work on messages. Attributes are few and from closed sets; a vault's host is on the allow-list. */
export function createWorkMetrics(meter: Meter): WorkMetrics {
  const changes = createCounter(meter, "kvbackup.changes")
  const latency = createHistogram(meter, "kvbackup.change.latency")
  const stages = createHistogram(meter, "kvbackup.stage.duration")
  const delays = createHistogram(meter, "kvbackup.deferral.delay")
  const quarantined = createCounter(meter, "kvbackup.quarantined")
  return {
    countOutcome: (outcome, change) => {
      const attributes: Attributes = { "kvbackup.outcome": outcome.outcome }
      if (change) {
        attributes["kvbackup.origin"] = change.origin
        attributes["kvbackup.vault"] = change.host
      }
      if ("error" in outcome) attributes["error.type"] = outcome.error.code
      changes.add(1, attributes)
    },
    timeChange: ({ eventAt, putAt, origin, attempt }, host) => {
      if (!eventAt) return
      latency.record(Math.max(0, putAt.getTime() - eventAt.getTime()) / 1000, {
        "kvbackup.origin": origin,
        "kvbackup.vault": host,
        "kvbackup.deferred": attempt > 1,
      })
    },
    timeStage: (stage, ms, code) => {
      stages.record(
        ms / 1000,
        code === undefined ? { "kvbackup.stage": stage } : { "kvbackup.stage": stage, "error.type": code },
      )
    },
    deferred: (code, delayMs) => delays.record(delayMs / 1000, { "error.type": code }),
    quarantined: (code) => quarantined.add(1, { "error.type": code }),
  }
}
