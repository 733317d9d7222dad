import { fileURLToPath } from "node:url"
import { SecretClient } from "@azure/keyvault-secrets"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { type NodeProcess, startNode } from "../support/startNode.ts"

const kvbackup = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))
const names = Array.from({ length: 24 }, (_, n) => `object-${String(n).padStart(2, "0")}`)

let journey: Journey
let argv: readonly string[]
let target: SecretClient

beforeAll(async () => {
  journey = await startJourney({ vaultNames: ["source-vault", "target-vault"], runsTimers: false })
  const [from, to] = journey.cloud.file.vaults.map(({ url }) => url)
  const token = journey.cloud.file.identities["user"]!.tokens.vault
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
  target = new SecretClient(to!, credential, { disableChallengeResourceVerification: true })
  argv = ["restore", "--vault", from!, "--to", to!, "--execute"]
  await Promise.all(names.map((name) => journey.set(name, `value of ${name}`)))
  await journey.settled()
})
afterAll(() => journey.stop())

const made = () => journey.cloud.vaults[1]!.counts().secrets

async function untilMade(count: number, node: NodeProcess): Promise<void> {
  await vi.waitFor(
    () => {
      if (made() < count && node.isGroupAlive()) throw new Error(`${made()} of ${count}`)
    },
    { timeout: 10_000, interval: 2 },
  )
}

const start = () => startNode([kvbackup, ...argv, "--local", "--json"], { cwd: journey.directory })

describe("a restore that is killed", () => {
  it("makes each object once, however often it was cut off by kill -9", async () => {
    // Slow enough that a kill falls between two writes, or into one.
    journey.cloud.faults.add({ target: "keyvault", match: { method: "PUT" }, effect: "delay", delayMs: 25 })
    for (const count of [3, 12]) {
      const node = start()
      await untilMade(count, node)
      node.signal("SIGKILL")
      expect(await node.end).toMatchObject({ code: null, signal: "SIGKILL" })
    }
    expect(made()).toBeGreaterThanOrEqual(12)
    expect(made()).toBeLessThan(names.length)

    const end = await start().end
    expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: "" })
    const { items } = JSON.parse(end.stdout) as { items: { result: string }[] }
    const results = new Set(items.map(({ result }) => result))
    expect(results).toEqual(new Set(["alreadyThere", "restored"]))
    expect(made()).toBe(names.length)
    for (const name of names) expect((await target.getSecret(name)).value).toBe(`value of ${name}`)
  })

  it("makes nothing more when it is run again", async () => {
    const { exitCode } = await runCli(journey.directory, ...argv)
    expect([exitCode, made()]).toEqual([0, names.length])
  })

  it("makes an object once although the connection broke when it was made, before the answer", async () => {
    journey.cloud.faults.clear()
    await journey.set("cut", "value")
    await journey.settled()
    const before = made()
    journey.cloud.faults.add({
      target: "keyvault",
      match: { method: "PUT" },
      effect: "cut",
      afterBytes: 0,
      count: 1,
    })
    const object = `${journey.cloud.file.vaults[0]!.url}/secrets/cut`
    const { exitCode, out } = await runCli(journey.directory, "restore", "--object", object, ...argv.slice(3))
    expect(exitCode).toBe(0)
    expect(out).toContain("read back and compared: the same")
    expect([journey.cloud.faults.list(), made()]).toEqual([[], before + 1])
  })

  it("stops cleanly at Ctrl-C, and says with 130 what was not done", async () => {
    const [source, other] = journey.cloud.file.vaults
    journey.cloud.faults.add({ target: "keyvault", match: { method: "PUT" }, effect: "delay", delayMs: 50 })
    for (const name of names) {
      await target.beginDeleteSecret(name)
      await target.purgeDeletedSecret(name)
    }
    const before = made()
    const node = start()
    await untilMade(before + 3, node)
    node.signal("SIGINT")
    const { code, stdout } = await node.end
    expect(code).toBe(130)
    const document = JSON.parse(stdout) as { target: object; vault: string; items: { result: string }[] }
    expect(document).toMatchObject({ vault: source!.url, target: { vault: other!.url } })
    const results = new Set(document.items.map(({ result }) => result))
    expect(results).toEqual(new Set(["alreadyThere", "restored", "notDone"]))
  })
})
