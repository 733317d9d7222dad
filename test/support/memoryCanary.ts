import { type CanaryParts, runCanary } from "../../shared/canary/runCanary.ts"
import type { Origin } from "../../shared/change/change.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import type { NewSecret } from "../../shared/vault/vaultWriter.ts"
import { anObject, vault } from "./builders.ts"
import { capturingLog } from "./capturingLog.ts"
import { fakeClock } from "./fakeClock.ts"
import { memoryTelemetry } from "./memoryTelemetry.ts"

/** When its clock starts. */
export const canaryStart = "2026-03-01T12:00:00.000Z"
/** Name of its secret. */
export const canaryName = "canary"

/** A vault whose changes are backed up `afterMs` after they are made, by what works with `origin`. */
export function aCanaryWorld({
  afterMs = 3000,
  origin = "canary" as Origin,
  ...more
}: Partial<CanaryParts> & { readonly afterMs?: number; readonly origin?: Origin } = {}) {
  const clock = fakeClock(canaryStart)
  const log = capturingLog()
  const kept = memoryTelemetry(clock)
  const store = createMemoryStore({ now: () => clock.now() })
  const set: NewSecret[] = []
  const beats: number[] = []
  const pending: { readonly object: ObjectVersion; readonly changedAt: Date }[] = []
  const record = (object: ObjectVersion, changedAt: Date, as: Origin) =>
    store.putIfAbsent(
      formatRecordName(object),
      Buffer.from("x"),
      "",
      formatLedgerEntry({
        changedAt,
        putAt: clock.now(),
        origin: as,
        attempt: 1,
        replays: 0,
        kids: [],
        format: "keyvault-backup/1",
        sha256: "0".repeat(64),
      }),
    )
  const parts: CanaryParts = {
    secretUrl: `${vault}/secrets/${canaryName}`,
    writer: {
      setSecret: async (at, called, secret) => {
        if (at !== vault || called !== canaryName) throw new Error("Another secret than the canary")
        set.push(secret)
        const object = anObject({ name: canaryName, version: 100 + set.length })
        pending.push({ object, changedAt: clock.now() })
        return object
      },
    },
    catalog: {
      async *list(prefix) {
        for (const { object, changedAt } of pending) {
          if (clock.now().getTime() - changedAt.getTime() >= afterMs) await record(object, changedAt, origin)
        }
        yield* store.list(prefix)
      },
    },
    clock,
    isPaused: false,
    heartbeat: async () => {
      beats.push(clock.now().getTime() - Date.parse(canaryStart))
      return undefined
    },
    ...more,
  }
  const run = () => runCanary(parts, { log, telemetry: kept.telemetry })
  const lines = () => log.entries().map(({ at: _at, message: _message, ...line }) => line)
  const results = async () => (await kept.points("kvbackup.canary.runs")).map(({ attributes }) => attributes)
  return { clock, log, run, lines, set, beats, record, results, ...kept }
}
