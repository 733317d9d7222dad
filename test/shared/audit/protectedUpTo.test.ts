import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../../shared/change/changeMessage.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { aLedger, at, noon } from "../../support/aLedger.ts"
import { aChange, anEventGridEvent, anObject, vault } from "../../support/builders.ts"

const now = noon.toISOString()
const iso = (time: string) => at(time).toISOString()

describe("readAudit about this moment", () => {
  it("calls a vault without anything protected up to now", async () => {
    const report = await aLedger().read()
    expect(report).toMatchObject({ complete: true, attention: [], problems: [] })
    expect(report.vaults).toMatchObject([{ vault, protectedUpTo: now, records: 0, openGapCount: 0 }])
    expect(report.queues).toEqual({
      waiting: 0,
      deferred: 0,
      deadLettered: 0,
      quarantined: 0,
      deferredBy: [],
      deadLetteredBy: [],
      quarantinedBy: [],
      complete: true,
    })
  })

  it("counts records, and tells the first and the last time", async () => {
    const { record, read } = aLedger()
    record(1, at("10:30:00"))
    record(2, at("09:00:00"))
    record(3, at("10:00:00"))
    expect((await read()).vaults).toMatchObject([
      { records: 3, firstPutAt: iso("09:00:00"), lastPutAt: iso("10:30:00"), protectedUpTo: now },
    ])
  })

  it("is protected up to the oldest change that waits anywhere", async () => {
    const { send, changes, quarantine, read } = aLedger()
    await send(1, "11:40:00")
    await send(2, "11:20:00", { "kvb-attempt": "2", "kvb-last-code": "ERR_VAULT_THROTTLED" })
    await send(3, "11:10:00", { "kvb-last-code": "ERR_EVENT_COLLISION" }, quarantine)
    changes.deadLetter(await send(4, "11:30:00"), "MaxDeliveryCountExceeded")
    const { vaults, queues, attention } = await read()
    expect(vaults[0]?.protectedUpTo).toBe(iso("11:10:00"))
    expect(queues).toEqual({
      waiting: 1,
      deferred: 1,
      deadLettered: 1,
      quarantined: 1,
      oldestAt: iso("11:59:30"),
      deferredBy: [{ cause: "ERR_VAULT_THROTTLED", count: 1, oldest: iso("11:59:30") }],
      deadLetteredBy: [{ cause: "MaxDeliveryCountExceeded", count: 1, oldest: iso("11:59:30") }],
      quarantinedBy: [{ cause: "ERR_EVENT_COLLISION", count: 1, oldest: iso("11:59:30") }],
      complete: true,
    })
    expect(attention).toEqual(["waiting", "dead-letter", "quarantine"])
  })

  it("counts what was dead-lettered in quarantine itself", async () => {
    const { send, quarantine, read } = aLedger()
    quarantine.deadLetter(await send(1, "11:40:00", {}, quarantine), "MaxDeliveryCountExceeded")
    expect((await read()).queues).toMatchObject({
      quarantined: 1,
      quarantinedBy: [{ cause: "MaxDeliveryCountExceeded" }],
    })
  })

  it("needs no attention for a change that waits within the limit, and does beyond it", async () => {
    const { send, read } = aLedger()
    await send(1, "11:59:00")
    expect((await read()).attention).toEqual([])
    await send(2, "11:58:59.999")
    expect((await read()).attention).toEqual(["waiting"])
  })

  it("is held up by the oldest of several messages about one version", async () => {
    const { send, read } = aLedger()
    await send(1, "11:10:00")
    await send(1, "11:50:00")
    expect((await read()).vaults[0]?.protectedUpTo).toBe(iso("11:10:00"))
  })

  it("is not held up by a change that is stored, which is counted all the same", async () => {
    const { send, record, read } = aLedger()
    await send(1, "11:10:00")
    record(1, at("11:10:05"))
    const { vaults, queues } = await read()
    expect([vaults[0]?.protectedUpTo, queues?.waiting]).toEqual([now, 1])
  })

  it.each([
    {
      name: "the first time in the queue",
      properties: { "kvb-first-enqueued": iso("11:05:00") },
      is: "11:05:00",
    },
    { name: "the time in the queue where nothing else is known", properties: {}, is: "11:59:30" },
  ])("goes by $name where a change has no event", async ({ properties, is }) => {
    const { send, read } = aLedger()
    await send(1, undefined, properties)
    expect((await read()).vaults[0]?.protectedUpTo).toBe(iso(is))
  })

  it.each([{ time: "1970-01-01T00:00:00Z" }, { time: "9999-12-31T23:59:59Z" }])(
    "goes by the time in the queue where the event says $time, which a sender may write",
    async ({ time }) => {
      const { changes, read } = aLedger()
      const body = formatChangeMessage(aChange({ event: { time } }))
      await changes.send({ body, messageId: "a", properties: {} })
      expect((await read()).vaults[0]?.protectedUpTo).toBe(iso("11:59:30"))
    },
  )

  it("is held up by a dead letter whose body is not UTF-8, as replay would decode it", async () => {
    const { changes, read } = aLedger()
    const event = { ...anEventGridEvent(), eventTime: iso("11:00:00") }
    const body = Buffer.from(`\uFEFF${JSON.stringify(event)}`, "utf16le")
    await changes.send({ body, messageId: "a", properties: {} })
    changes.deadLetter("a", "MaxDeliveryCountExceeded")
    expect((await read()).vaults[0]?.protectedUpTo).toBe(iso("11:00:00"))
  })

  it("is not held up by messages that are no changes, nor by other vaults'", async () => {
    const { changes, read } = aLedger()
    await changes.send({ body: "hello", messageId: "a", properties: {} })
    const other = aChange({ object: anObject({ host: "other.vault.azure.net" }) })
    await changes.send({ body: formatChangeMessage(other), messageId: "b", properties: {} })
    const { vaults, queues } = await read()
    expect([vaults[0]?.protectedUpTo, queues?.waiting]).toEqual([now, 2])
  })

  it("tells an open gap, and is held up by it", async () => {
    const { gap, read } = aLedger()
    gap(1, "disabled", at("10:00:00"))
    const { vaults, attention } = await read()
    expect(vaults[0]).toMatchObject({
      protectedUpTo: iso("10:00:00"),
      openGapCount: 1,
      openGaps: [
        {
          id: formatVersionUrl(anObject({ version: 1 })),
          reason: "disabled",
          code: "ERR_VAULT_VERSION_DISABLED",
          since: iso("10:00:00"),
          witnessedAt: iso("10:00:02"),
        },
      ],
    })
    expect(attention).toEqual(["gap", "objective"])
  })

  it("counts one gap for a version with two reasons, since the first of them", async () => {
    const { gap, read } = aLedger()
    gap(1, "value-absent", at("09:00:00"))
    gap(1, "disabled", at("10:00:00"))
    const { vaults, objective } = await read()
    expect(vaults[0]?.openGaps).toMatchObject([{ reason: "disabled", since: iso("09:00:00") }])
    expect(objective.unprotected).toBe(1)
  })

  it.each([
    { name: "its record", of: {} },
    { name: "its certificate's record", of: { kind: "certificate" } as const },
  ])("calls a gap closed that has $name", async ({ of }) => {
    const { gap, record, read } = aLedger()
    gap(1, "disabled", at("10:00:00"))
    record(1, at("11:00:00"), {}, of)
    expect((await read()).vaults[0]).toMatchObject({ openGapCount: 0, openGaps: [], protectedUpTo: now })
  })

  it("tells each vault by itself, and names those it was not asked about", async () => {
    const { gap, record, read } = aLedger()
    const port = "127.0.0.1:8443"
    gap(1, "gone", at("10:00:00"), { host: port })
    record(1, at("11:00:00"))
    record(2, at("11:00:00"), {}, { host: "gone.vault.azure.net" })
    const report = await read({ vaults: [vault, `https://${port}`] })
    expect(report.vaults.map(({ records, openGapCount }) => [records, openGapCount])).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(report.otherVaults).toEqual([{ vault: "https://gone.vault.azure.net", records: 1, gaps: 0 }])
  })

  it("says `unknown` when it has not seen every message, and what it knows", async () => {
    const { read, gap } = aLedger()
    gap(1, "gone", at("10:00:00"))
    const queues = {
      inspector: { peek: async () => ({ messages: [], complete: false }) },
      queue: "changes",
      quarantineQueue: "quarantine",
      allowList: createAllowList([vault]),
    }
    const report = await read({}, { queues })
    expect(report).toMatchObject({
      complete: false,
      problems: [{ code: "queue-too-long", samples: ["changes, quarantine"] }],
      vaults: [{ protectedUpTo: "unknown", notProtectedAfter: iso("10:00:00") }],
    })
  })

  it("says `unknown` when a queue does not answer, and tells what the store has", async () => {
    const { read, record } = aLedger()
    record(1, at("11:00:00"))
    const error = new ServiceError("ERR_QUEUE_FORBIDDEN", "no", { details: { queue: "changes" } })
    const queues = {
      inspector: { peek: () => Promise.reject(error) },
      queue: "changes",
      quarantineQueue: "quarantine",
      allowList: createAllowList([vault]),
    }
    const report = await read({}, { queues })
    expect(report).toMatchObject({
      complete: false,
      problems: [{ code: "ERR_QUEUE_FORBIDDEN", message: "no", count: 1, samples: ["changes"] }],
      vaults: [{ protectedUpTo: "unknown", records: 1 }],
      objective: { measured: 1 },
    })
    expect(report.queues).toBeUndefined()
  })

  it("tells nothing when the store does not answer at all", async () => {
    const list = async function* () {
      yield* []
      throw new ServiceError("ERR_STORE_FIREWALL", "no")
    }
    await expect(aLedger().read({}, { store: { list } })).rejects.toMatchObject({
      code: "ERR_STORE_FIREWALL",
    })
  })

  it("looks at the queues before the store, which it lists once: what is stored in between is found there", async () => {
    const order: string[] = []
    const peek = async (queue: string, of: string) => {
      order.push(`${queue} ${of}`)
      return { messages: [], complete: true }
    }
    const list = async function* (prefix: string) {
      order.push(`list ${prefix || "all"}`)
      yield* []
    }
    const queues = {
      inspector: { peek },
      queue: "changes",
      quarantineQueue: "quarantine",
      allowList: createAllowList([vault]),
    }
    await aLedger().read({}, { queues, store: { list } })
    expect(order).toEqual([
      "changes queue",
      "changes deadLetter",
      "quarantine queue",
      "quarantine deadLetter",
      "list all",
    ])
  })
})
