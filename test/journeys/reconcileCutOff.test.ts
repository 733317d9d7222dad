import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { namesIn, reconcile, unheard } from "../support/reconcileJourney.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"

const runner = fileURLToPath(new URL("../support/reconcileRunner.ts", import.meta.url))

let journey: Journey

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
})
afterEach(async () => {
  await journey.control("DELETE /faults")
})
afterAll(() => journey.stop())

async function withRoles(grants: (usual: readonly string[]) => readonly string[], work: () => Promise<void>) {
  const usual = journey.cloud.access.roles()["reconcile"] ?? []
  await journey.control("PUT /roles", { reconcile: grants(usual) })
  await work()
  await journey.control("PUT /roles", { reconcile: usual })
}

describe("kvbackup reconcile, when it cannot tell or is cut off", () => {
  it("cannot tell of a vault that lists nothing (C33)", async () => {
    const { exitCode, complete, incomplete } = await reconcile(journey, "--execute")
    expect({ exitCode, complete, incomplete }).toMatchObject({
      exitCode: 31,
      complete: false,
      incomplete: { reason: "empty" },
    })
    expect(namesIn(journey, "")).toEqual([])
  })

  it.each([
    { what: "secrets", right: "readMetadata" },
    { what: "certificates", right: "certificates/read" },
  ])("cannot tell where it may not list $what (C62)", async ({ right }) => {
    await withRoles(
      (usual) => usual.filter((grant) => !grant.includes(right)),
      async () => {
        const { exitCode, complete, incomplete } = await reconcile(journey, "--execute")
        expect({ exitCode, complete, incomplete }).toMatchObject({
          exitCode: 31,
          complete: false,
          incomplete: { reason: "error", code: "ERR_VAULT_FORBIDDEN" },
        })
      },
    )
    const { out } = await runCli(journey.directory, "reconcile")
    expect(out).toMatch(/versions listed: \d+ stored, 0 gaps\n/)
  })

  it("cannot tell when a page fails in the middle, and still sends what it found before (C33)", async () => {
    const first = await unheard(journey, () => journey.set("a-first", "value"))
    for (let count = 0; count < 30; count++) await journey.set("many", `${count}`)
    await journey.settled()
    // The second page of the versions of one secret.
    const match = { path: "skiptoken", job: "reconcile" }
    await journey.control("POST /faults", {
      target: "keyvault",
      match,
      effect: "status",
      status: 400,
      code: "BadParameter",
    })
    const broken = await reconcile(journey, "--execute")
    expect(broken).toMatchObject({
      exitCode: 31,
      complete: false,
      incomplete: { reason: "untold" },
      untold: [{ name: "many", code: "ERR_UNKNOWN" }],
      counts: { sent: 1 },
    })
    expect(broken.gaps.map(({ id }) => id)).toEqual([first])
    await journey.control("DELETE /faults")
    await journey.settled()
    expect(await reconcile(journey)).toMatchObject({ exitCode: 0, complete: true, gaps: [] })
  })

  it("goes on where it was killed, with the rights of its role alone", async () => {
    const ids = await unheard(journey, async () => {
      const set: string[] = []
      for (let count = 0; count < 24; count++) set.push(await journey.set(`killed-${count}`, "value"))
      return set
    })
    // The runner does ten gaps a page; it dies when it has sent the second ten, before it remembers that.
    const killed = await startNode([runner, "send:2"], { cwd: journey.directory }).end
    expect(`${killed.signal} ${killed.stderr}`).toBe("SIGKILL ")
    expect(namesIn(journey, "reconcile/").at(-1)).toMatch(/\/000001\.json$/)
    const next = await reconcile(journey, "--execute")
    // The second ten may be stored by now.
    expect(next).toMatchObject({ exitCode: 30, complete: true, counts: { versions: 55 } })
    expect(next.counts.sent + next.counts.stored).toBe(55)
    expect(next.continues).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
    await journey.settled()
    for (const id of ids) expect((await journey.metadata(id))["origin"]).toBe("reconcile")
    expect((await reconcile(journey, "--execute")).continues).toBeUndefined()
  })

  it("is done by a timer of the worker, which says in one line what it did", async () => {
    const name = namesIn(journey, "v1/").find((blob) => blob.includes("/a-first/")) ?? ""
    await journey.cloud.blob.backdoor.remove({ container: journey.cloud.file.blob.container, name })
    await journey.control("POST /functions/reconcileVaults")
    await journey.settled()
    expect(namesIn(journey, "v1/")).toContain(name)
    const line = journey.lines.findLast((text) => text.includes('"reconcile.done"')) ?? ""
    expect(line).toMatch(/"missing":1,.*"lost":0,"sent":1,"recorded":0,"untold":0/)
    await journey.control("POST /functions/continueReconcile")
    expect(journey.lines.filter((text) => text.includes('"reconcile.done"'))).toHaveLength(1)
  })
})
