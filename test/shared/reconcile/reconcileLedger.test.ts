import { describe, expect, it } from "vitest"
import { createReconcileLedger } from "../../../shared/reconcile/reconcileLedger.ts"
import {
  formatReconcileBlob,
  formatReconcileName,
  noCounts,
  parseReconcileName,
  type ReconcileRecord,
} from "../../../shared/reconcile/reconcileRecord.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { host, vault } from "../../support/builders.ts"
import { aReconcileWorld, Killed } from "../../support/memoryReconcile.ts"

const longBefore = new Date(0)

function aPage(run: string, more: Partial<ReconcileRecord> = {}): Omit<ReconcileRecord, "format"> {
  return {
    run,
    vault,
    state: "running",
    startedAt: "2026-03-01T12:00:00.000Z",
    at: "2026-03-01T12:01:00.000Z",
    through: { name: "s", version: "~" },
    counts: noCounts(),
    untold: [],
    ...more,
  }
}

function aLedger() {
  const store = createMemoryStore({ now: () => new Date("2026-03-01T12:01:00.000Z") })
  return { store, ledger: createReconcileLedger({ add: store, catalog: store, reader: store }) }
}

const runs = ["20260301T120000Z-00000001", "20260302T120000Z-00000000"] as const

describe("the ledger of reconciliation", () => {
  it("gives the last page of the newest run, of this vault", async () => {
    const { ledger } = aLedger()
    for (const page of [1, 2, 11]) {
      await ledger.write(page, aPage(runs[0], { through: { name: `page-${page}`, version: "~" } }))
    }
    await ledger.write(1, aPage(runs[1], { vault: "https://kv-other.vault.azure.net" }))
    expect(await ledger.readUnfinished(host, longBefore)).toMatchObject({
      run: runs[0],
      through: { name: "page-11" },
    })
  })

  it("gives nothing after a summary, nor what is too old, nor where there is nothing", async () => {
    const { ledger } = aLedger()
    expect(await ledger.readUnfinished(host, longBefore)).toBeUndefined()
    await ledger.write(1, aPage(runs[0]))
    expect(await ledger.readUnfinished(host, new Date("2026-03-01T12:01:00.001Z"))).toBeUndefined()
    await ledger.write("summary", aPage(runs[1], { state: "complete" }))
    expect(await ledger.readUnfinished(host, longBefore)).toBeUndefined()
  })

  it("knows which run took the place of which, within one second too", async () => {
    const { ledger } = aLedger()
    await ledger.write(1, aPage(runs[1], { through: { name: "first", version: "~" } }))
    await ledger.write(1, aPage(runs[0], { continues: runs[1], through: { name: "second", version: "~" } }))
    expect(await ledger.readUnfinished(host, longBefore)).toMatchObject({ through: { name: "second" } })
    await ledger.write("summary", aPage(runs[0], { continues: runs[1], state: "complete" }))
    expect(await ledger.readUnfinished(host, longBefore)).toBeUndefined()
  })

  it.each([
    { name: "says that it is of another run", more: { run: runs[1] } },
    { name: "says that it is of another vault", more: { vault: "https://kv-other.vault.azure.net" } },
    { name: "is dated after the store got it", more: { at: "2099-01-01T00:00:00.000Z" } },
  ])("believes no page that $name: then everything is compared anew", async ({ more }) => {
    const { store, ledger } = aLedger()
    const { body, metadata } = formatReconcileBlob(
      aPage(runs[0], { through: { name: "z", version: "~" }, ...more }),
    )
    await store.putIfAbsent(formatReconcileName(host, { run: runs[0], page: 1 }), body, "", metadata)
    expect(await ledger.readUnfinished(host, longBefore)).toBeUndefined()
  })

  it("passes over a page that it cannot read once that is old", async () => {
    const { store, ledger } = aLedger()
    const name = formatReconcileName(host, { run: runs[0], page: 1 })
    await store.putIfAbsent(name, Buffer.from("garbage"), "", { putat: "2099-01-01T00:00:00.000Z" })
    expect(await ledger.readUnfinished(host, new Date("2026-03-01T12:01:01.000Z"))).toBeUndefined()
  })

  it("refuses what a newer release wrote, by name", async () => {
    const { store, ledger } = aLedger()
    const name = formatReconcileName(host, { run: runs[0], page: 1 })
    await store.putIfAbsent(name, Buffer.from('{"format":"keyvault-reconcile/2"}'), "application/json", {})
    await expect(ledger.readUnfinished(host, longBefore)).rejects.toMatchObject({
      code: "ERR_FORMAT_NEWER",
      details: { blob: name },
    })
  })

  it("leaves evidence that a listing alone shows", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("a", 1))
    world.set("b", 2)
    const { result } = await world.run({ execute: world.execute })
    const blobs = []
    for await (const blob of world.store.list("reconcile/")) blobs.push(blob)
    const summary = blobs.at(-1)
    expect(summary?.name).toBe(`reconcile/v1/${host}/${result.run}/summary.json`)
    expect(summary?.metadata).toMatchObject({
      format: "keyvault-reconcile/1",
      state: "complete",
      startedat: "2026-03-01T12:00:00.000Z",
      putat: "2026-03-01T12:00:00.000Z",
      versions: "2",
      gaps: "1",
      sent: "1",
    })
    expect(JSON.parse(Buffer.from(await world.store.read(summary?.name ?? "")).toString())).toMatchObject({
      vault,
      counts: { versions: 2, stored: 1, gaps: { missing: 1 }, sent: 1 },
    })
  })

  it("reads back the names that it writes, and no others", () => {
    for (const page of [0, 1, 999_999, "summary"] as const) {
      expect(parseReconcileName(formatReconcileName(host, { run: runs[0], page }))).toEqual({
        run: runs[0],
        page,
      })
    }
    for (const name of [
      "reconcile/v1/h/x/000001.json",
      `reconcile/v2/h/${runs[0]}/000001.json`,
      "journal/v1/x",
    ]) {
      expect(parseReconcileName(name)).toBeUndefined()
    }
  })
})

describe("a run that is killed", () => {
  it("goes on where it stopped, whichever step it was killed at, and misses nothing", async () => {
    const versions = 60
    let isOver = false
    const kills: string[] = []
    for (let at = 1; !isOver; at++) {
      const world = aReconcileWorld()
      for (let version = 1; version <= versions; version++) {
        world.set(`s-${String(version % 25).padStart(2, "0")}`, version, { enabled: version % 10 > 0 })
      }
      const execute = { ...world.execute, pageGaps: 7, pageVersions: 20 }
      let steps = 0
      world.hooks.beforeIo = (what) => {
        if (++steps < at) return
        kills.push(what)
        // A process that was killed does nothing more.
        throw new Killed()
      }
      const first = await world.run({ execute })
      isOver = first.result.incomplete === undefined
      world.hooks.beforeIo = () => {}
      const second = await world.run({ execute })
      expect(second.result.incomplete).toBeUndefined()
      expect(second.result.counts).toMatchObject({ versions, gaps: { missing: 54, disabled: 6 }, sent: 54 })
      expect(new Set(world.sentIds()).size).toBe(54)
      expect((await world.names("gaps/")).length).toBe(6)
      // What was sent before the last page is not sent again; of one page it may be.
      expect(world.sent.length).toBeLessThanOrEqual(isOver ? 108 : 54 + 7 + 7)
    }
    expect(kills.filter((what) => what === "send").length).toBeGreaterThan(5)
    expect(kills.filter((what) => what.startsWith("reconcile/")).length).toBeGreaterThan(5)
    expect(kills.filter((what) => what.startsWith("gaps/")).length).toBeGreaterThan(5)
  })

  it("goes on within one object that has many versions", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 1200; version++) world.set("deep", version)
    const execute = { ...world.execute, pageGaps: 500 }
    let pages = 0
    world.hooks.beforeIo = (what) => {
      if (what.startsWith("reconcile/") && ++pages === 3) throw new Killed()
    }
    const first = await world.run({ execute })
    expect(first.result.incomplete?.reason).toBe("error")
    world.hooks.beforeIo = () => {}
    const second = await world.run({ execute })
    expect(second.result.counts).toMatchObject({ versions: 1200, sent: 1200 })
    expect(second.gaps).toHaveLength(200)
    expect(world.sent).toHaveLength(1400)
  })

  it("is not taken up after two days", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 30; version++) world.set(`s-${version}`, version)
    const execute = { ...world.execute, pageGaps: 10 }
    let sends = 0
    world.hooks.beforeIo = (what) => {
      if (what === "send" && ++sends === 2) throw new Killed()
    }
    await world.run({ execute })
    world.hooks.beforeIo = () => {}
    world.clock.advance(48 * 3_600_000 + 1)
    expect((await world.run({ execute })).result.continues).toBeUndefined()
  })

  it("is left alone by a run that only looks", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 30; version++) world.set(`s-${version}`, version)
    let sends = 0
    world.hooks.beforeIo = (what) => {
      if (what === "send" && ++sends === 2) throw new Killed()
    }
    await world.run({ execute: { ...world.execute, pageGaps: 10 } })
    const { result, gaps } = await world.run()
    expect(result.continues).toBeUndefined()
    expect(gaps).toHaveLength(30)
  })
})
