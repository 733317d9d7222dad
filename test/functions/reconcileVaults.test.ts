import type { InvocationContext, Timer } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { createReconcileVaultsHandler } from "../../functions/reconcileVaults.ts"
import { anObject, vault } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { aReconcileWorld, refusal } from "../support/memoryReconcile.ts"

async function runTimer(
  world: ReturnType<typeof aReconcileWorld>,
  { vaults = [vault], onlyUnfinished = false } = {},
) {
  const log = capturingLog()
  const handler = createReconcileVaultsHandler(
    () => ({ log, openReconcile: () => ({ ...world.parts, vaults }) }),
    { onlyUnfinished },
  )
  const failed = await Promise.resolve(handler({} as Timer, {} as InvocationContext)).then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  return { log, failed }
}

describe("reconcileVaults", () => {
  it("sends what is missing and says in one line what there was", async () => {
    const world = aReconcileWorld({ exclude: ["tmp-*"] })
    await world.record(world.set("a", 1))
    world.set("b", 2)
    world.set("off", 3, { enabled: false })
    world.set("tmp-1", 4)
    await world.gapRecord(anObject({ name: "purged", version: 5 }), "gone")
    const { log, failed } = await runTimer(world)
    expect(failed).toBeUndefined()
    expect(world.sent).toHaveLength(1)
    expect(log.entries()).toMatchObject([
      {
        level: "warn",
        event: "reconcile.done",
        vault,
        versions: 4,
        stored: 1,
        excluded: 1,
        missing: 1,
        disabled: 1,
        lost: 1,
        sent: 1,
        recorded: 1,
        untold: 0,
      },
    ])
    expect(await world.names("reconcile/")).toHaveLength(2)
  })

  it("says so where nothing is missing", async () => {
    const world = aReconcileWorld()
    await world.record(world.set("a", 1))
    const { log } = await runTimer(world)
    expect(log.entries()).toMatchObject([{ level: "info", event: "reconcile.done", missing: 0 }])
  })

  it("ends by itself before its function would be ended, and goes on in the next hour", async () => {
    const world = aReconcileWorld()
    for (let version = 1; version <= 200; version++)
      world.set(`s-${String(version).padStart(3, "0")}`, version)
    world.hooks.beforeCall = () => world.clock.advance(4000)
    const startMs = world.clock.now().getTime()
    const first = await runTimer(world)
    expect(world.clock.now().getTime() - startMs).toBeLessThan(600_000)
    expect(first.failed).toBeUndefined()
    expect(first.log.entries()).toMatchObject([
      { level: "warn", event: "reconcile.incomplete", reason: "budget", vault },
    ])
    const [{ run }] = first.log.entries() as unknown as [{ run: string }]
    world.hooks.beforeCall = () => {}
    const next = await runTimer(world, { onlyUnfinished: true })
    expect(next.log.entries()).toMatchObject([
      { event: "reconcile.done", continues: run, versions: 200, missing: 200, sent: 200 },
    ])
    expect(new Set(world.sentIds()).size).toBe(200)
    const idle = await runTimer(world, { onlyUnfinished: true })
    expect(idle.log.entries()).toEqual([])
  })

  it("calls what it could not tell incomplete, tries the other vaults, and fails", async () => {
    const world = aReconcileWorld()
    const other = anObject({ host: "kv-other.vault.azure.net", name: "s" })
    world.held.set(other, {})
    const { pagerOf } = world.parts
    Object.assign(world.parts, {
      pagerOf: (pace: Parameters<typeof pagerOf>[0]) => {
        const pager = pagerOf(pace)
        return {
          ...pager,
          names: (...parameters: Parameters<typeof pager.names>) => {
            if (parameters[0] === vault) throw refusal("ERR_VAULT_FORBIDDEN")
            return pager.names(...parameters)
          },
        }
      },
    })
    const { log, failed } = await runTimer(world, { vaults: [vault, other.vault] })
    expect(failed).toBe("ERR_VAULT_FORBIDDEN")
    expect(log.entries()).toMatchObject([
      { level: "error", event: "reconcile.incomplete", reason: "error", code: "ERR_VAULT_FORBIDDEN", vault },
      { event: "reconcile.done", vault: other.vault, missing: 1 },
    ])
  })
})
