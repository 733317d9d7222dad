import { describe, expect, it } from "vitest"
import { ServiceError } from "../../../shared/errors.ts"
import { formatLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { formatRecordName } from "../../../shared/store/blobName.ts"
import { aLedger, anEntry, at, noon } from "../../support/aLedger.ts"
import { anObject, vault } from "../../support/builders.ts"

const later = (time: Date, ms: number) => new Date(time.getTime() + ms)

describe("what reports of lag must show", () => {
  it("C09: an event that comes three hours late is late upstream, not in our handling", async () => {
    const { record, read } = aLedger()
    const eventAt = at("07:00:00")
    const enqueuedAt = at("10:00:00")
    record(1, later(enqueuedAt, 900), { eventAt, enqueuedAt, receivedAt: later(enqueuedAt, 300) })
    const { groups, objective, worst } = await read()
    const maxOf = (stage: string) => groups.find((group) => group.stage === stage)?.maxMs
    expect([
      maxOf("eventToQueue"),
      maxOf("queueToPut"),
      maxOf("queueToFunction"),
      maxOf("eventToPut"),
    ]).toEqual([10_800_000, 900, 300, 10_800_900])
    expect(objective).toMatchObject({ breaches: 1, percentileMs: 10_800_900 })
    expect(worst[0]?.stages).toMatchObject({ eventToQueue: 10_800_000, queueToPut: 900 })
  })

  it("C61: a clock that is 200 ms behind is shown, and counts as no time at all", async () => {
    const { record, read } = aLedger()
    for (let n = 1; n <= 3; n += 1) record(n, at(`10:00:0${n}`))
    record(4, at("10:00:05"), { eventAt: at("10:00:05.200") })
    const { objective, groups, worst, complete } = await read()
    expect(objective).toMatchObject({
      measured: 4,
      within: 4,
      breaches: 0,
      skewed: 1,
      skewMs: -200,
      met: true,
    })
    expect(groups.find(({ stage, deferred }) => stage === "eventToPut" && deferred === null)).toMatchObject({
      count: 4,
      negative: 1,
      minMs: -200,
      maxMs: 2000,
    })
    expect(worst.at(-1)).toMatchObject({ latencyMs: -200, isBreach: false })
    expect(objective.latency).toMatchObject({ p50Ms: 2000 })
    expect(complete).toBe(true)
    const alone = aLedger()
    alone.record(1, at("10:00:05"), { eventAt: at("10:00:05.200") })
    const only = await alone.read()
    expect(only.objective).toMatchObject({ percentileMs: 0, latency: { p50Ms: 0, maxMs: 0 }, skewMs: -200 })
    expect(only.histogram).toEqual([{ fromMs: 0, toMs: 10, count: 1 }])
    expect(only.timeline).toMatchObject([{ p50Ms: 0, maxMs: 0 }])
  })

  it("C61: three silent days are no lag: protected up to now, and nothing in the timeline", async () => {
    const { record, read } = aLedger()
    record(1, at("00:00:00"))
    const until = later(noon, 3 * 86_400_000)
    const { vaults, timeline, attention, objective } = await read({ until, since: noon })
    expect(vaults[0]).toMatchObject({ protectedUpTo: until.toISOString(), records: 1 })
    expect([timeline, attention, objective.population, objective.met]).toEqual([[], [], 0, null])
  })

  it("C11: silence with a canary that does not come through is told from silence", async () => {
    const { record, read } = aLedger()
    record(1, at("08:00:00"), { origin: "canary" })
    expect((await read({}, { hasCanary: false })).attention).toEqual([])
    const { canary, attention } = await read({}, { hasCanary: true })
    expect(canary).toMatchObject({ isOverdue: true, ageMs: 4 * 3_600_000 + 2000, lastLatencyMs: 2000 })
    expect(attention).toEqual(["canary"])
    expect((await aLedger().read({}, { hasCanary: true })).canary).toEqual({
      lastChangedAt: null,
      ageMs: null,
      lastLatencyMs: null,
      isOverdue: true,
    })
  })

  it("C61: after a restart two hours later, what waited is late by what it waited, whole and in our part", async () => {
    const { record, read } = aLedger()
    const restart = at("11:00:00")
    for (let n = 0; n < 120; n += 1) {
      const eventAt = later(at("09:00:00"), n * 60_000)
      const enqueuedAt = later(eventAt, 500)
      const receivedAt = later(restart, n)
      record(n, later(receivedAt, 200), {
        changedAt: eventAt,
        eventAt,
        enqueuedAt,
        receivedAt,
        readAt: later(receivedAt, 100),
      })
    }
    const { objective, groups, vaults, timeline } = await read()
    expect(objective).toMatchObject({
      measured: 120,
      breaches: 120,
      met: false,
      percentileMs: 7_140_201,
    })
    expect(objective.latency).toMatchObject({ maxMs: 7_200_200, isP99Meaningful: true })
    expect(groups.find(({ stage }) => stage === "queueToFunction")?.maxMs).toBe(7_199_500)
    expect(groups.find(({ stage }) => stage === "eventToQueue")?.maxMs).toBe(500)
    expect(vaults[0]?.protectedUpTo).toBe(noon.toISOString())
    expect(timeline).toMatchObject([
      { from: restart.toISOString(), count: 120, breaches: 120, maxMs: 7_200_200 },
    ])
  })

  it("C62: a run that was killed after its put has left the whole entry; one killed before it waits", async () => {
    const { record, send, read } = aLedger()
    record(1, at("10:00:00"))
    await send(1, "09:59:58")
    expect((await read()).vaults[0]).toMatchObject({ records: 1, protectedUpTo: noon.toISOString() })
    await send(2, "10:00:30")
    expect((await read()).vaults[0]).toMatchObject({
      records: 1,
      protectedUpTo: at("10:00:30").toISOString(),
    })
  })

  it("C14: what was replayed, reconciled, restored or sent as a canary has figures of its own", async () => {
    const { put, record, read } = aLedger()
    record(1, at("10:00:00"))
    record(2, at("10:00:10"), { origin: "replay", replays: 1, eventAt: at("08:00:10") })
    const putAt = at("10:01:00")
    for (const [n, origin] of (["reconcile", "restore", "canary"] as const).entries()) {
      const { eventAt: _event, ...entry } = anEntry(putAt, { origin, changedAt: at("04:01:00") })
      put(formatRecordName(anObject({ version: 10 + n })), formatLedgerEntry(entry), putAt)
    }
    const { objective, groups } = await read()
    expect(objective).toMatchObject({ population: 2, breaches: 1, measured: 2 })
    const ofOrigin = (name: string) =>
      groups.filter(({ origin, vault: of }) => origin === name && of === null).map(({ stage }) => stage)
    expect(ofOrigin("reconcile")).toContain("changeToPut")
    expect(ofOrigin("reconcile")).not.toContain("eventToPut")
    expect(groups.find(({ origin, stage }) => origin === "replay" && stage === "eventToPut")?.maxMs).toBe(
      7_200_000,
    )
  })

  it("tells deferred changes apart", async () => {
    const { record, read } = aLedger()
    record(1, at("10:00:00"))
    record(2, at("10:00:10"), { attempt: 4, eventAt: at("09:59:00") })
    const rows = (await read()).groups.filter(({ stage, vault: of }) => stage === "eventToPut" && of === null)
    expect(rows.map(({ deferred, count, maxMs }) => [deferred, count, maxMs])).toEqual([
      [null, 2, 70_000],
      [false, 1, 2000],
      [true, 1, 70_000],
    ])
  })
})

describe("the error budget", () => {
  it("counts versions: of three a day none may be late, and the p99 says that it means nothing", async () => {
    const { record, read } = aLedger()
    for (let n = 0; n < 3; n += 1) record(n, at(`0${n}:10:00`))
    expect((await read()).objective).toMatchObject({
      met: true,
      isMeaningful: false,
      budget: { allowed: 0, used: 0, left: 0 },
    })
    record(3, at("05:00:00"), { eventAt: at("04:58:59.999") })
    expect((await read()).objective).toMatchObject({
      met: false,
      percentileMs: 60_001,
      budget: { allowed: 0, used: 1, left: -1 },
    })
  })

  it("is met exactly as long as the percentile is within the limit", async () => {
    const { record, read } = aLedger()
    for (let n = 0; n < 199; n += 1) record(n, at(`10:00:${String(n % 60).padStart(2, "0")}`))
    record(199, at("11:00:00"), { eventAt: at("10:00:00") })
    record(200, at("11:00:01"), { eventAt: at("10:00:00") })
    expect((await read()).objective).toMatchObject({
      met: true,
      percentileMs: 2000,
      budget: { allowed: 2, used: 2 },
    })
    record(201, at("11:00:02"), { eventAt: at("10:00:00") })
    expect((await read()).objective).toMatchObject({
      met: false,
      percentileMs: 3_600_000,
      budget: { allowed: 2, used: 3, left: -1 },
    })
  })

  it("takes a version as in time that is as late as the limit, to the millisecond", async () => {
    const { record, read } = aLedger()
    record(1, at("10:01:00"), { eventAt: at("10:00:00") })
    expect((await read()).objective).toMatchObject({ within: 1, breaches: 0 })
    record(2, at("10:01:00.001"), { eventAt: at("10:00:00") })
    expect((await read()).objective).toMatchObject({ within: 1, breaches: 1 })
  })

  it("takes an open gap as missed at once, however young, and as later than any other", async () => {
    const { record, gap, read } = aLedger()
    record(1, at("10:00:00"))
    gap(2, "disabled", at("11:59:50"))
    expect((await read()).objective).toMatchObject({
      population: 2,
      measured: 1,
      unprotected: 1,
      percentileMs: null,
      met: false,
      budget: { allowed: 0, used: 1 },
    })
  })

  it("counts a gap that was recorded before the period, as long as it is open", async () => {
    const { gap, record, read } = aLedger()
    gap(1, "disabled", at("02:00:00"))
    expect((await read({ since: at("11:00:00") })).objective.unprotected).toBe(1)
    record(1, at("03:00:00"))
    expect((await read({ since: at("11:00:00") })).objective.unprotected).toBe(0)
  })
})

describe("bad input", () => {
  const sound = () => formatLedgerEntry(anEntry(at("10:00:00")))
  const name = formatRecordName(anObject())

  it.each([
    { name: "no metadata", metadata: {}, code: "metadata-missing" },
    { name: "no putat", metadata: { ...sound(), putat: "" }, code: "metadata-missing" },
    {
      name: "a time that is none",
      metadata: { ...sound(), enqueuedat: "yesterday" },
      code: "metadata-missing",
    },
    { name: "an unknown origin", metadata: { ...sound(), origin: "moon" }, code: "metadata-missing" },
    { name: "a newer format", metadata: { ...sound(), format: "keyvault-backup/2" }, code: "format-unknown" },
    {
      name: "the year 1970",
      metadata: { ...sound(), eventat: "1970-01-01T00:00:00.000Z" },
      code: "time-absurd",
    },
    {
      name: "the year 9999",
      metadata: { ...sound(), changedat: "9999-12-31T00:00:00.000Z" },
      code: "time-absurd",
    },
    {
      name: "a put hours before its event",
      metadata: { ...sound(), putat: "2026-03-01T07:00:00.000Z" },
      code: "time-absurd",
    },
    {
      name: "a put long before the service saw it",
      metadata: formatLedgerEntry(anEntry(at("08:00:00"))),
      code: "time-absurd",
    },
  ])("is incomplete, and never clean, with an entry that has $name", async ({ metadata, code }) => {
    const { put, record, read } = aLedger()
    put(name, metadata, at("10:00:00"))
    record(2, at("10:00:00"))
    const report = await read()
    expect(report).toMatchObject({
      complete: false,
      problems: [{ code, count: 1, samples: [name] }],
      objective: { population: 2, measured: 1, unmeasured: 1, met: null },
      vaults: [{ records: 2 }],
    })
    expect((await read({ since: at("10:30:00") })).complete).toBe(true)
  })

  it("calls a missed objective missed although an entry cannot be measured", async () => {
    const { put, record, read } = aLedger()
    put(name, {}, at("10:00:00"))
    record(2, at("10:10:00"), { eventAt: at("10:00:00") })
    expect((await read()).objective.met).toBe(false)
  })

  it("is incomplete with blobs that are not ours, and counts every known prefix", async () => {
    const { put, record, read } = aLedger()
    record(1, at("10:00:00"))
    const foreign = [
      "backup.zip",
      "v1/x",
      `${name}.bak`,
      "gaps/v1/x.json",
      "v2/a",
      "V1/kv/secrets/a/b.jwe.json",
    ]
    for (const blob of foreign) put(blob, {}, at("10:00:00"))
    for (const prefix of ["digest", "journal", "reconcile", "drill", "probe"])
      put(`${prefix}/1`, {}, at("10:00:00"))
    const report = await read()
    expect(report.complete).toBe(false)
    expect(report.problems).toMatchObject([{ code: "foreign-blob", count: 6 }])
    expect([...(report.problems[0]?.samples ?? [])].sort()).toEqual([...foreign].sort())
    expect(report.prefixes).toEqual({
      records: 1,
      gaps: 0,
      digest: 1,
      journal: 1,
      reconcile: 1,
      drill: 1,
      probe: 1,
      foreign: 6,
    })
  })

  it("names ten of many, and counts them all", async () => {
    const { put, read } = aLedger()
    for (let n = 0; n < 25; n += 1) put(`junk/${n}`, {}, at("10:00:00"))
    const [problem] = (await read()).problems
    expect([problem?.count, problem?.samples.length]).toEqual([25, 10])
  })

  it("tells what is known of a listing that broke off half way, and judges nothing", async () => {
    const { blobs, record, read } = aLedger()
    for (let n = 1; n <= 4; n += 1) record(n, at("10:00:00"))
    const list = async function* () {
      yield* blobs.slice(0, 2)
      throw new ServiceError("ERR_STORE_UNAVAILABLE", "Blob storage answered 503")
    }
    const report = await read({}, { store: { list } })
    expect(report).toMatchObject({
      complete: false,
      problems: [
        {
          code: "ERR_STORE_UNAVAILABLE",
          message: "Blob storage answered 503",
          samples: [`after ${blobs[1]?.name}`],
        },
      ],
      objective: { measured: 2, met: null },
      vaults: [{ vault, records: 2, protectedUpTo: "unknown" }],
    })
  })

  it("does not believe an absurd time of a gap, and says that it does not know", async () => {
    const { gap, read } = aLedger()
    gap(1, "gone", at("10:00:00"), {}, { eventAt: new Date(0) })
    const report = await read()
    expect(report.vaults[0]).toMatchObject({
      protectedUpTo: "unknown",
      notProtectedAfter: at("10:00:02").toISOString(),
    })
    expect((await read({ since: at("11:00:00") })).complete).toBe(false)
  })
})

describe("a period that is over", () => {
  it("says nothing of this moment, and is the same however often it is asked for", async () => {
    const { record, gap, send, read } = aLedger()
    record(1, at("09:59:59.999"))
    record(2, at("10:00:00"))
    gap(3, "disabled", at("09:30:00"))
    const query = { since: at("09:00:00"), until: at("10:00:00"), isClosed: true }
    const first = await read(query)
    expect(first.objective).toMatchObject({ measured: 1, unprotected: 1 })
    expect(first.queues).toBeUndefined()
    expect(first.vaults[0]?.protectedUpTo).toBeUndefined()
    expect(first.complete).toBe(true)
    record(3, at("11:00:00"))
    await send(9, "08:00:00")
    expect(JSON.stringify(await read(query))).toBe(JSON.stringify(first))
  })

  it("lists one vault alone when only that is asked for", async () => {
    const { record, put, read, blobs } = aLedger()
    record(1, at("10:00:00"))
    record(1, at("10:00:00"), {}, { host: "other.vault.azure.net" })
    put("junk", {}, at("10:00:00"))
    const prefixes: string[] = []
    const list = async function* (prefix: string) {
      prefixes.push(prefix)
      yield* blobs.filter(({ name }) => name.startsWith(prefix))
    }
    const report = await read({ isNarrow: true }, { store: { list } })
    expect(prefixes).toEqual(["gaps/v1/kv-test.vault.azure.net/", "v1/kv-test.vault.azure.net/"])
    expect(report).toMatchObject({ complete: true, otherVaults: [], prefixes: { records: 1, foreign: null } })
  })
})
