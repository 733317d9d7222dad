import { describe, expect, it } from "vitest"
import { type ProtectionStatusOptions, readProtectionStatus } from "../../../shared/audit/protectionStatus.ts"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../../shared/change/changeMessage.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { ServiceError } from "../../../shared/errors.ts"
import {
  createMemoryChangeQueue,
  createMemoryQueueInspector,
} from "../../../shared/queue/memoryChangeQueue.ts"
import { formatGapName, formatRecordName, type GapReason } from "../../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { aChange, anObject, vault } from "../../support/builders.ts"

const now = new Date("2026-03-01T12:00:00Z")
const at = (text: string) => new Date(`2026-03-01T${text}Z`)

function aWorld() {
  const store = createMemoryStore({ now: () => now })
  const changes = createMemoryChangeQueue(() => at("11:59:00"))
  const quarantine = createMemoryChangeQueue(() => at("11:59:00"))
  const ledger = (putAt: Date, more = {}) =>
    formatLedgerEntry({
      putAt,
      origin: "live",
      attempt: 1,
      replays: 0,
      kids: [],
      format: "keyvault-backup/1",
      sha256: "ab".repeat(32),
      ...more,
    })
  let sent = 0
  return {
    store,
    changes,
    quarantine,
    record: (version: number, putAt: Date, of = {}) =>
      store.putIfAbsent(formatRecordName(anObject({ version, ...of })), Buffer.from("x"), "", ledger(putAt)),
    gap: (version: number, reason: GapReason, eventAt: Date, of = {}) =>
      store.putIfAbsent(
        formatGapName(anObject({ version, ...of }), reason),
        Buffer.from("x"),
        "",
        ledger(at("11:30:00"), { eventAt, code: "ERR_VAULT_VERSION_DISABLED" }),
      ),
    send: async (version: number, time?: string, properties = {}, queue = changes) => {
      const messageId = `m${sent++}`
      const event = time === undefined ? {} : { time: `2026-03-01T${time}Z` }
      const body = formatChangeMessage(aChange({ object: anObject({ version }), event }))
      await queue.send({ body, messageId, properties })
      return messageId
    },
    read: (more: Partial<ProtectionStatusOptions> = {}) =>
      readProtectionStatus({
        vaults: [vault],
        store,
        queues: createMemoryQueueInspector({ changes, quarantine }),
        queue: "changes",
        quarantineQueue: "quarantine",
        allowList: createAllowList([vault]),
        now,
        ...more,
      }),
  }
}

describe("readProtectionStatus", () => {
  it("calls a vault without anything protected up to this moment", async () => {
    await expect(aWorld().read()).resolves.toEqual({
      at: now,
      vaults: [{ vault, records: 0, openGaps: [], publicOnly: [], protectedUpTo: now }],
      queues: {
        waiting: 0,
        deferred: 0,
        deadLettered: 0,
        quarantined: 0,
        deferredBy: [],
        deadLetteredBy: [],
        quarantinedBy: [],
        complete: true,
      },
    })
  })

  it("counts records, and tells the first and the last time", async () => {
    const { record, read } = aWorld()
    await record(1, at("10:30:00"))
    await record(2, at("09:00:00"))
    await record(3, at("10:00:00"))
    const { vaults } = await read()
    expect(vaults).toEqual([
      {
        vault,
        records: 3,
        firstPutAt: at("09:00:00"),
        lastPutAt: at("10:30:00"),
        openGaps: [],
        publicOnly: [],
        protectedUpTo: now,
      },
    ])
  })

  it("is protected up to the oldest change that waits anywhere", async () => {
    const { send, changes, quarantine, read } = aWorld()
    await send(1, "11:40:00")
    await send(2, "11:20:00", { "kvb-attempt": "2", "kvb-last-code": "ERR_VAULT_THROTTLED" })
    await send(3, "11:10:00", { "kvb-last-code": "ERR_EVENT_COLLISION" }, quarantine)
    changes.deadLetter(await send(4, "11:30:00"), "MaxDeliveryCountExceeded")
    const { vaults, queues } = await read()
    expect(vaults[0]?.protectedUpTo).toEqual(at("11:10:00"))
    expect(queues).toEqual({
      waiting: 1,
      deferred: 1,
      deadLettered: 1,
      quarantined: 1,
      deferredBy: [{ cause: "ERR_VAULT_THROTTLED", count: 1, oldest: at("11:59:00") }],
      deadLetteredBy: [{ cause: "MaxDeliveryCountExceeded", count: 1, oldest: at("11:59:00") }],
      quarantinedBy: [{ cause: "ERR_EVENT_COLLISION", count: 1, oldest: at("11:59:00") }],
      complete: true,
    })
  })

  it("counts what was dead-lettered in quarantine itself", async () => {
    const { send, quarantine, read } = aWorld()
    quarantine.deadLetter(await send(1, "11:40:00", {}, quarantine), "MaxDeliveryCountExceeded")
    expect((await read()).queues).toMatchObject({
      quarantined: 1,
      quarantinedBy: [{ cause: "MaxDeliveryCountExceeded" }],
    })
  })

  it("is held up by the oldest of several messages about one version", async () => {
    const { send, read } = aWorld()
    await send(1, "11:10:00")
    await send(1, "11:50:00")
    expect((await read()).vaults[0]?.protectedUpTo).toEqual(at("11:10:00"))
  })

  it("is not held up by a change that is stored, which is counted all the same", async () => {
    const { send, record, read } = aWorld()
    await send(1, "11:10:00")
    await record(1, at("11:10:05"))
    const { vaults, queues } = await read()
    expect([vaults[0]?.protectedUpTo, queues.waiting]).toEqual([now, 1])
  })

  it("goes by the first time in the queue where a change has no event", async () => {
    const { send, read } = aWorld()
    await send(1, undefined, { "kvb-first-enqueued": "2026-03-01T11:05:00.000Z", "kvb-attempt": "1" })
    expect((await read()).vaults[0]?.protectedUpTo).toEqual(at("11:05:00"))
  })

  it("goes by the time in the queue where nothing else is known", async () => {
    const { send, read } = aWorld()
    await send(1)
    expect((await read()).vaults[0]?.protectedUpTo).toEqual(at("11:59:00"))
  })

  it("is not held up by messages that are no changes, nor by other vaults'", async () => {
    const { changes, read } = aWorld()
    await changes.send({ body: "hello", messageId: "a", properties: {} })
    const other = aChange({ object: anObject({ host: "other.vault.azure.net" }) })
    await changes.send({ body: formatChangeMessage(other), messageId: "b", properties: {} })
    const { vaults, queues } = await read()
    expect([vaults[0]?.protectedUpTo, queues.waiting]).toEqual([now, 2])
  })

  it("tells an open gap, and is held up by it", async () => {
    const { gap, read } = aWorld()
    await gap(1, "disabled", at("10:00:00"))
    const { vaults } = await read()
    expect(vaults[0]?.protectedUpTo).toEqual(at("10:00:00"))
    expect(vaults[0]?.openGaps).toEqual([
      {
        id: formatVersionUrl(anObject({ version: 1 })),
        reason: "disabled",
        code: "ERR_VAULT_VERSION_DISABLED",
        since: at("10:00:00"),
      },
    ])
  })

  it("counts one gap for a version with two reasons, since the first of them", async () => {
    const { gap, read } = aWorld()
    await gap(1, "disabled", at("09:00:00"))
    await gap(1, "gone", at("10:00:00"))
    const { vaults } = await read()
    expect(vaults[0]?.openGaps).toMatchObject([{ since: at("09:00:00") }])
  })

  it.each([
    { name: "its record", of: {} },
    { name: "its certificate's record", of: { kind: "certificate" } as const },
  ])("calls a gap closed that has $name", async ({ of }) => {
    const { gap, record, read } = aWorld()
    await gap(1, "disabled", at("10:00:00"))
    await record(1, at("11:00:00"), of)
    const { vaults } = await read()
    expect([vaults[0]?.openGaps, vaults[0]?.protectedUpTo]).toEqual([[], now])
  })

  it("tells each vault by itself", async () => {
    const { gap, record, read } = aWorld()
    const port = "127.0.0.1:8443"
    await gap(1, "gone", at("10:00:00"), { host: port })
    await record(1, at("11:00:00"))
    const { vaults } = await read({ vaults: [vault, `https://${port}`] })
    expect(vaults.map(({ records, openGaps }) => [records, openGaps.length])).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  it("goes by the service's own time where a record has no entry", async () => {
    const { store, read } = aWorld()
    await store.putIfAbsent(formatRecordName(anObject()), Buffer.from("x"), "", {})
    expect((await read()).vaults[0]).toMatchObject({ records: 1, firstPutAt: now })
  })

  it("says when it has not seen every message", async () => {
    const { read } = aWorld()
    const { queues } = await read({ queues: { peek: async () => ({ messages: [], complete: false }) } })
    expect(queues.complete).toBe(false)
  })

  it("tells nothing when the store or a queue does not answer", async () => {
    const { read, store } = aWorld()
    const error = new ServiceError("ERR_QUEUE_FORBIDDEN", "no")
    await expect(read({ queues: { peek: () => Promise.reject(error) } })).rejects.toBe(error)
    const list = async function* () {
      yield* []
      throw new ServiceError("ERR_STORE_FIREWALL", "no")
    }
    await expect(read({ store: { ...store, list } })).rejects.toMatchObject({ code: "ERR_STORE_FIREWALL" })
  })

  it("looks at the queues before the store: what is stored in between is found there", async () => {
    const { store, read } = aWorld()
    const order: string[] = []
    const peek = async (queue: string, of: string) => {
      order.push(`${queue} ${of}`)
      return { messages: [], complete: true }
    }
    const list = (prefix: string) => {
      order.push("list")
      return store.list(prefix)
    }
    await read({ queues: { peek }, store: { list } })
    expect(order).toEqual([
      "changes queue",
      "changes deadLetter",
      "quarantine queue",
      "quarantine deadLetter",
      "list",
      "list",
    ])
  })
})
