import { describe, expect, it } from "vitest"
import { confirmGaps } from "../../../shared/reconcile/closeGaps.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { parseChanges } from "../../../shared/change/parseChanges.ts"
import { parseLineage } from "../../../shared/queue/messageLineage.ts"
import { parseLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { anObject, host, vault } from "../../support/builders.ts"
import { aReconcileWorld, refusal } from "../../support/memoryReconcile.ts"

const counts = {
  versions: 0,
  stored: 0,
  excluded: 0,
  gaps: { missing: 0, disabled: 0, "value-absent": 0, gone: 0, lost: 0 },
  sent: 0,
  recorded: 0,
}
const told = (gaps: readonly { cause: string; action: string; object: { name: string } }[]) =>
  gaps.map(({ cause, action, object }) => `${object.name} ${cause} ${action}`)

describe("reconcileVault", () => {
  it("finds nothing where everything is stored, and says how much that was", async () => {
    const world = aReconcileWorld()
    for (const [name, version] of [
      ["a-b", 1],
      ["a", 2],
      ["a", 3],
      ["b", 4],
    ] as const)
      await world.record(world.set(name, version))
    await world.record(world.setCertificate("tls", 5))
    await world.record(anObject({ name: "deleted-long-ago", version: 9 }))
    const { gaps, result } = await world.run()
    expect(gaps).toEqual([])
    expect(result).toMatchObject({ vault, counts: { ...counts, versions: 5, stored: 5 }, untold: [] })
    expect(result.incomplete).toBeUndefined()
  })

  it("finds the version that was never announced, and sends it as a change of origin reconcile (C14)", async () => {
    const world = aReconcileWorld()
    for (const version of [1, 2, 4, 5]) await world.record(world.set("db-password", version))
    const third = world.set("db-password", 3)
    const { gaps, result } = await world.run({ execute: world.execute })
    expect(told(gaps)).toEqual(["db-password missing send"])
    expect(result.counts).toMatchObject({ versions: 5, stored: 4, gaps: { missing: 1 }, sent: 1 })
    expect(world.sentIds()).toEqual([formatVersionUrl(third)])
    const [message] = world.sent
    expect(message).toMatchObject({ queue: "changes", messageId: "message-1" })
    expect(parseLineage(message?.envelope.properties ?? {})).toEqual({
      origin: "reconcile",
      attempt: 0,
      replays: 0,
    })
    expect(parseChanges(JSON.parse(String(message?.body)), createAllowList([vault]))).toEqual([
      { kind: "change", change: { object: third, origin: "reconcile" } },
    ])
  })

  it("writes nothing without execute, and finds the same", async () => {
    const world = aReconcileWorld()
    world.set("missing", 1)
    world.set("off", 2, { enabled: false })
    const before = await world.names("")
    const dry = await world.run()
    expect(await world.names("")).toEqual(before)
    expect(world.sent).toEqual([])
    expect(dry.result.run).toBeUndefined()
    const wet = await world.run({ execute: world.execute })
    expect(told(wet.gaps)).toEqual(told(dry.gaps))
  })

  it.each([
    { name: "no record at all", reason: undefined, enabled: true, is: "missing send" },
    {
      name: "a record of being disabled, and enabled since (C28)",
      reason: "disabled",
      enabled: true,
      is: "disabled send",
    },
    {
      name: "a record of being disabled, and still so (C28)",
      reason: "disabled",
      enabled: false,
      is: "disabled none",
    },
    { name: "disabled, of which nobody knows", reason: undefined, enabled: false, is: "disabled record" },
    { name: "a record of having no value", reason: "value-absent", enabled: true, is: "value-absent send" },
    { name: "a record of being gone, and recovered since", reason: "gone", enabled: true, is: "gone send" },
    { name: "a record of being gone, and disabled", reason: "gone", enabled: false, is: "disabled record" },
  ] as const)("judges a version with $name", async ({ reason, enabled, is }) => {
    const world = aReconcileWorld()
    const object = world.set("s", 1, { enabled })
    if (reason) await world.gapRecord(object, reason)
    expect(told((await world.run()).gaps)).toEqual([`s ${is}`])
  })

  it("knows every gap record of a version, not the last one only", async () => {
    const world = aReconcileWorld()
    const object = world.set("s", 1, { enabled: false })
    for (const reason of ["disabled", "gone", "value-absent"] as const) await world.gapRecord(object, reason)
    expect(told((await world.run()).gaps)).toEqual(["s disabled none"])
  })

  it("closes an open gap by the record of the certificate that the secret stands behind", async () => {
    const world = aReconcileWorld()
    const certificate = world.setCertificate("tls", 1)
    await world.gapRecord({ ...certificate, kind: "secret" }, "disabled")
    await world.record(certificate)
    expect((await world.run()).gaps).toEqual([])
  })

  it("sends the certificate once, for itself and for the secret behind it (D8)", async () => {
    const world = aReconcileWorld()
    const certificate = world.setCertificate("tls", 1)
    const { result } = await world.run({ execute: world.execute })
    expect(world.sentIds()).toEqual([formatVersionUrl(certificate)])
    expect(result.counts.versions).toBe(1)
  })

  it("tells a version as lost that the vault has no more, again and again, and never sends it", async () => {
    const world = aReconcileWorld()
    world.set("other", 1)
    await world.gapRecord(anObject({ name: "purged", version: 7 }), "gone")
    await world.gapRecord(anObject({ name: "other", version: 8 }), "disabled")
    for (let run = 0; run < 2; run++) {
      const { gaps } = await world.run({ execute: world.execute })
      expect(told(gaps)).toEqual(["other missing send", "other lost none", "purged lost none"])
    }
    expect(new Set(world.sentIds())).toEqual(
      new Set([formatVersionUrl(anObject({ name: "other", version: 1 }))]),
    )
  })

  it("does not call lost what came into being while it listed", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("a", 1))
    world.hooks.beforeCall = () => {
      // The secrets' names are listed by now.
      if (world.calls !== 2) return
      void world.gapRecord(world.set("z", 2, { enabled: false }), "disabled")
    }
    expect(told((await world.run()).gaps)).toEqual(["z disabled none"])
  })

  it("knows that a certificate cannot be read whose secret is disabled", async () => {
    const world = aReconcileWorld()
    const certificate = world.setCertificate("tls", 1)
    const attributes = { enabled: false }
    world.held.set({ ...certificate, kind: "secret" }, { managed: true, attributes })
    expect(told((await world.run()).gaps)).toEqual(["tls disabled record"])
  })

  it("writes the gap record of a disabled version, with the code, and does not write it twice", async () => {
    const world = aReconcileWorld()
    const object = world.set("off", 1, { enabled: false, created: new Date("2026-01-02T03:04:05Z") })
    const first = await world.run({ execute: world.execute })
    expect(first.result.counts).toMatchObject({ sent: 0, recorded: 1, gaps: { disabled: 1 } })
    const [name = ""] = await world.names("gaps/")
    expect(name).toBe(`gaps/v1/${host}/secrets/off/${object.version}.disabled.json`)
    for await (const { metadata } of world.store.list(name)) {
      expect(parseLedgerEntry(metadata)).toMatchObject({
        origin: "reconcile",
        code: "ERR_VAULT_VERSION_DISABLED",
        changedAt: new Date("2026-01-02T03:04:05Z"),
        putAt: world.clock.now(),
      })
    }
    const second = await world.run({ execute: world.execute })
    expect(told(second.gaps)).toEqual(["off disabled none"])
    expect(second.result.counts.recorded).toBe(0)
  })

  it("does not miss what is excluded", async () => {
    const world = aReconcileWorld({ exclude: ["tmp-*"] })
    world.set("tmp-1", 1)
    world.set("tmp-2", 2, { enabled: false })
    await world.record(world.set("kept", 3))
    const { gaps, result } = await world.run({ execute: world.execute })
    expect(gaps).toEqual([])
    expect(result.counts).toMatchObject({ versions: 3, stored: 1, excluded: 2 })
    expect(await world.names("gaps/")).toEqual([])
  })

  it("may be repeated: what was not stored yet is sent again, what was is not", async () => {
    const world = aReconcileWorld()
    const object = world.set("s", 1)
    await world.run({ execute: world.execute })
    await world.run({ execute: world.execute })
    expect(world.sentIds()).toEqual([formatVersionUrl(object), formatVersionUrl(object)])
    expect(new Set(world.sent.map(({ messageId }) => messageId)).size).toBe(2)
    await world.record(object)
    expect((await world.run({ execute: world.execute })).gaps).toEqual([])
  })

  it("waits for a version whose backup is under way, and does not cry wolf (C62)", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("old", 1))
    const created = world.clock.now()
    const young = world.set("young", 2, { created })
    world.set("never", 3, { created })
    const { sleep } = world.clock
    Object.assign(world.clock, {
      sleep: async (ms: number) => {
        await sleep(ms)
        await world.record(young)
      },
    })
    const { gaps, result } = await world.run({ graceMs: 5000 })
    expect(told(gaps)).toEqual(["never missing send"])
    expect(result.counts).toMatchObject({ versions: 3, stored: 2 })
    expect(world.clock.sleeps).toEqual([5000])
  })
})

describe("reconcileVault, when it cannot tell", () => {
  it("does not tell as missing what was deferred for long and is stored while it scans (C62)", async () => {
    const { record, set, run, store, clock } = aReconcileWorld()
    set("a", 1)
    set("b", 1)
    const { gaps } = await run()
    await record(anObject({ name: "b", version: 1 }))
    const left = await confirmGaps(gaps, clock.now(), { catalog: store, clock, graceMs: 5000 })
    expect(left.map(({ object }) => object.name)).toEqual(["a"])
    expect(clock.sleeps).toEqual([])
  })

  it("calls a vault that lists nothing unproven, whatever the store has (C33, C62)", async () => {
    const world = aReconcileWorld()
    await world.record(anObject())
    const { result } = await world.run({ execute: world.execute })
    expect(result.incomplete).toEqual({ reason: "empty" })
    expect(await world.names("reconcile/")).toEqual([])
  })

  it("calls a vault unproven that lists certificates and not the secrets behind them (C33)", async () => {
    const world = aReconcileWorld()
    world.held.setCertificate(anObject({ kind: "certificate", name: "tls" }), { cer: Buffer.from("der") })
    expect((await world.run()).result.incomplete).toEqual({ reason: "empty" })
  })

  it("proves nothing where it may not list (C62)", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("s", 1))
    world.hooks.beforeCall = () => {
      throw refusal("ERR_VAULT_FORBIDDEN")
    }
    const { result, gaps } = await world.run()
    expect(result.incomplete).toMatchObject({ reason: "error", error: { code: "ERR_VAULT_FORBIDDEN" } })
    expect(gaps).toEqual([])
  })

  it("tells the gaps before the page that failed, and that the rest is not known (C33)", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 40; version++)
      world.set(`s-${String(version).padStart(2, "0")}`, version)
    world.hooks.beforeCall = () => {
      if (world.calls > 20) throw refusal("ERR_VAULT_FIREWALL")
    }
    const { result, gaps } = await world.run({ execute: world.execute })
    expect(result.incomplete).toMatchObject({ reason: "error", error: { code: "ERR_VAULT_FIREWALL" } })
    expect(gaps.length).toBeGreaterThan(5)
    expect(gaps.length).toBeLessThan(40)
    expect(world.sent).toHaveLength(gaps.length)
    expect(result.counts.sent).toBe(gaps.length)
    world.hooks.beforeCall = () => {}
    const next = await world.run({ execute: world.execute })
    expect(next.result.incomplete).toBeUndefined()
    expect(next.result.continues).toBe(result.run)
    expect(next.result.counts).toMatchObject({ versions: 40, gaps: { missing: 40 }, sent: 40 })
    expect(new Set(world.sentIds()).size).toBe(40)
    expect(world.sent).toHaveLength(40)
  })

  it("tries a throttled page again when the vault said so", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("s", 1))
    let left = 2
    world.hooks.beforeCall = () => {
      if (left-- > 0) throw refusal("ERR_VAULT_THROTTLED")
    }
    expect((await world.run()).result).toMatchObject({ counts: { versions: 1, stored: 1 } })
  })

  it("goes on past one name that cannot be listed, tells it, and ends incomplete (C28)", async () => {
    const world = aReconcileWorld()
    const objects = ["a", "b", "c"].map((name, index) => world.set(name, index + 1))
    const { pagerOf } = world.parts
    const parts = {
      ...world.parts,
      pagerOf: (pace: Parameters<typeof pagerOf>[0]) => {
        const pager = pagerOf(pace)
        return {
          ...pager,
          versions: (...parameters: Parameters<typeof pager.versions>) => {
            if (parameters[2] === "b") throw refusal("ERR_VAULT_RESPONSE_INVALID")
            return pager.versions(...parameters)
          },
        }
      },
    }
    Object.assign(world.parts, parts)
    const { result, gaps } = await world.run({ execute: world.execute })
    expect(result.incomplete).toEqual({ reason: "untold" })
    expect(result.untold).toEqual([{ name: "b", code: "ERR_VAULT_RESPONSE_INVALID" }])
    expect(gaps.map(({ object }) => object)).toEqual([objects[0], objects[2]])
    // Nothing goes on from a run that came to its end.
    expect((await world.run({ execute: world.execute })).result.continues).toBeUndefined()
  })

  it("proves nothing when the store's listing fails, or is not in the order of names", async () => {
    for (const failure of ["throws", "unordered"] as const) {
      const world = aReconcileWorld()
      await world.record(world.set("a", 1))
      await world.record(world.set("b", 2))
      const { catalog } = world.parts
      Object.assign(world.parts, {
        catalog: {
          list: async function* (prefix: string) {
            const blobs = []
            for await (const blob of catalog.list(prefix)) blobs.push(blob)
            if (failure === "throws" && prefix.startsWith("v1/")) throw refusal("ERR_STORE_UNAVAILABLE")
            yield* failure === "unordered" ? blobs.reverse() : blobs
          },
        },
      })
      const { result } = await world.run()
      expect(result.incomplete).toMatchObject({
        reason: "error",
        error: { code: failure === "throws" ? "ERR_STORE_UNAVAILABLE" : "ERR_UNKNOWN" },
      })
    }
  })

  it("stops when the queue takes nothing, and sends from there the next time", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 30; version++) world.set(`s-${version}`, version)
    let sends = 0
    world.hooks.beforeIo = (what) => {
      if (what === "send" && ++sends === 2) throw refusal("ERR_QUEUE_FORBIDDEN")
    }
    const execute = { ...world.execute, pageGaps: 10 }
    const first = await world.run({ execute })
    expect(first.result.incomplete).toMatchObject({ reason: "error", error: { code: "ERR_QUEUE_FORBIDDEN" } })
    const second = await world.run({ execute })
    expect(second.result).toMatchObject({ continues: first.result.run, counts: { sent: 30, versions: 30 } })
    expect(world.sent).toHaveLength(30)
  })

  it.each(["names", "versions"] as const)("ends where the list of %s goes round", async (list) => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 3; version++) world.set("s", version)
    const { pagerOf } = world.parts
    Object.assign(world.parts, {
      pagerOf: (pace: Parameters<typeof pagerOf>[0]) => {
        const pager = pagerOf(pace)
        return {
          ...pager,
          [list]: async function* (...parameters: [string, "secret" | "certificate", string]) {
            for (;;) yield* pager[list](...parameters)
          },
        }
      },
    })
    expect((await world.run()).result.incomplete).toBeDefined()
  })

  it("gives the next vault its turn", async () => {
    const world = aReconcileWorld()
    const other = anObject({ host: "kv-other.vault.azure.net", name: "s" })
    world.held.set(other, {})
    const { results } = await world.run({ vaults: [vault, other.vault] })
    expect(results.map(({ incomplete }) => incomplete?.reason)).toEqual(["empty", undefined])
  })
})
