import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { SecretClient } from "@azure/keyvault-secrets"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { recordNameOf } from "../support/startJourney.ts"
import { type LiveCloud, startLive } from "../support/startLive.ts"
import { startNode } from "../support/startNode.ts"

const example = fileURLToPath(new URL("../../docs/examples/setSecret.mjs", import.meta.url))
const kvbackup = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))

describe("npm start -- --second-vault", () => {
  let directory: string
  let live: LiveCloud
  const start = () => startLive(directory, "--second-vault", "--keep", "kept")

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "second-vault-"))
    live = await start()
  })
  afterAll(async () => {
    live.node.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it("lets a person restore from one vault into the other, in two commands", async () => {
    const run = (argv: readonly string[], input = "") => startNode(argv, { cwd: directory, input }).end
    const { stdout } = await run([example, "my-secret"], "hello")
    const id = stdout.trim()
    const blob = live.store.getBlobClient(recordNameOf(id))
    await vi.waitFor(async () => expect(await blob.exists()).toBe(true), { timeout: 5000, interval: 20 })

    const [first, second] = live.file.vaults
    const argv = [kvbackup, "restore", "--vault", first!.url, "--to", second!.url, "--local"]
    const plan = await run(argv)
    expect({ code: plan.code, stderr: plan.stderr }).toEqual({ code: 0, stderr: "" })
    expect(plan.stdout).toMatch(
      /\nrestore {2}my-secret {2}\S+ {2}secrets\/my-secret\/[0-9a-f]{32}\n\n1 restore\n/,
    )
    const [, again = ""] = /Nothing was done\. To do it: kvbackup (.*)\n/.exec(plan.stdout) ?? []
    const done = await run([kvbackup, ...again.split(" ")])
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: "" })
    expect(done.stdout).toContain("\n1 restored; 1 read back and compared: the same\n")
  })

  it("has both vaults where they were when it is started again", async () => {
    const before = live.file.vaults
    live.node.signal("SIGINT")
    await live.node.end
    live = await start()
    expect(live.file.vaults).toEqual(before)
    const token = live.file.identities["user"]?.tokens.vault ?? ""
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
    const options = { disableChallengeResourceVerification: true }
    const { value } = await new SecretClient(before[1]!.url, credential, options).getSecret("my-secret")
    expect(value).toBe("hello")
  })
})
