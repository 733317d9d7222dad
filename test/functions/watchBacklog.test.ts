import type { InvocationContext, Timer } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { createWatchBacklogHandler } from "../../functions/watchBacklog.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { createProtectedVersions } from "../../shared/deadLetter/protectedVersions.ts"
import { createMemoryChangeQueue, createMemoryQueueInspector } from "../../shared/queue/memoryChangeQueue.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { aChange, anObject, vault } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"

function aWorld() {
  const clock = fakeClock("2026-03-01T12:00:00.000Z")
  const [changes, quarantine] = [1, 2].map(() => createMemoryChangeQueue(() => clock.now()))
  const store = createMemoryStore()
  if (!changes || !quarantine) throw new Error("There are two")
  const send = async (
    version: number,
    time: string,
    properties = {},
    queue = changes,
    scheduledAt?: Date,
  ) => {
    const body = formatChangeMessage(aChange({ object: anObject({ version }), event: { time } }))
    await queue.send({ body, messageId: `m${version}`, properties, ...(scheduledAt ? { scheduledAt } : {}) })
  }
  const watch = async (queues = createMemoryQueueInspector({ changes, quarantine })) => {
    const log = capturingLog()
    const handler = createWatchBacklogHandler(() => ({
      log,
      clock,
      telemetry: silentTelemetry(),
      openBacklog: () => ({
        queues,
        queue: "changes",
        quarantineQueue: "quarantine",
        versions: createProtectedVersions(store),
        allowList: createAllowList([vault]),
      }),
    }))
    await Promise.resolve(handler({} as Timer, {} as InvocationContext)).catch(() => log.error("threw"))
    return log.entries().map(({ at: _at, ...entry }) => entry)
  }
  const protect = (version: number) =>
    store.putIfAbsent(formatRecordName(anObject({ version })), Buffer.from("x"), "", {})
  return { changes, quarantine, send, watch, protect }
}

describe("watchBacklog", () => {
  it("says that all is well when nothing waits", async () => {
    await expect(aWorld().watch()).resolves.toEqual([
      { level: "info", event: "backlog.oldestUnprotected", ageSeconds: 0, complete: true },
    ])
  })

  it("gives a signal for each cause, and one for the oldest change that is not stored", async () => {
    const { send, changes, quarantine, watch, protect } = aWorld()
    const next = new Date("2026-03-01T12:10:00.000Z")
    await send(
      1,
      "2026-03-01T11:00:00Z",
      { "kvb-attempt": "3", "kvb-last-code": "ERR_VAULT_THROTTLED" },
      changes,
      next,
    )
    await send(2, "2026-03-01T10:00:00Z", { "kvb-last-code": "ERR_VAULT_FORBIDDEN" })
    changes.deadLetter("m2", "MaxDeliveryCountExceeded")
    await send(3, "2026-03-01T11:30:00Z", { "kvb-last-code": "ERR_STORE_FORBIDDEN" }, quarantine)
    await protect(2)
    await expect(watch()).resolves.toEqual([
      {
        level: "info",
        event: "backlog.oldestUnprotected",
        ageSeconds: 3600,
        object: `${vault}/secrets/db-password/00000000000000000000000000000001`,
        changedAt: "2026-03-01T11:00:00.000Z",
        complete: true,
      },
      {
        level: "warn",
        event: "backlog.deferred",
        cause: "ERR_VAULT_THROTTLED",
        count: 1,
        oldestAt: "2026-03-01T12:00:00.000Z",
        nextAt: "2026-03-01T12:10:00.000Z",
      },
      {
        level: "error",
        event: "backlog.deadLettered",
        cause: "ERR_VAULT_FORBIDDEN",
        count: 1,
        oldestAt: "2026-03-01T12:00:00.000Z",
      },
      {
        level: "error",
        event: "backlog.quarantined",
        cause: "ERR_STORE_FORBIDDEN",
        count: 1,
        oldestAt: "2026-03-01T12:00:00.000Z",
      },
    ])
  })

  it("looks on until it finds one that is not stored", async () => {
    const { send, watch, protect } = aWorld()
    for (let version = 1; version <= 120; version++) {
      await send(version, new Date(Date.UTC(2026, 2, 1, 10, 0, version)).toISOString())
      if (version !== 113) await protect(version)
    }
    expect((await watch())[0]).toMatchObject({ changedAt: "2026-03-01T10:01:53.000Z" })
  })

  it("says that it could not tell, and fails", async () => {
    const queues = { peek: () => Promise.reject(new Error("closed")) }
    await expect(aWorld().watch(queues)).resolves.toMatchObject([
      { level: "error", event: "backlog.unknown", code: "ERR_UNKNOWN" },
      { event: "threw" },
    ])
  })
})
