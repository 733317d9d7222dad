import { execFileSync, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it, vi } from "vitest"
import { describeWith } from "../support/requiredSuite.ts"
import { type LiveCloud, startLive } from "../support/startLive.ts"
import { startNode } from "../support/startNode.ts"

const example = (name: string) => fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url))
/** Of the Debian package of the same name. */
const tool = "jose"
const missing = spawnSync(tool, ["--help"], { stdio: "ignore" }).error ? "there is no jose tool" : undefined

describeWith("jose", missing, "a record opened by hand, as README says", () => {
  let directory: string
  let live: LiveCloud
  const run = (argv: readonly string[], input = "") => startNode(argv, { cwd: directory, input }).end
  const older = `first ${randomBytes(6).toString("hex")}`
  const value = `line 1\nrødgrød ${randomBytes(6).toString("hex")}\n`

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "open-by-hand-"))
    live = await startLive(directory)
    for (const each of [older, value]) {
      const { stdout } = await run([example("setSecret.mjs"), "My-Secret"], each)
      const version = stdout.trim().split("/").at(-1) ?? "none"
      await vi.waitFor(() => assertStored(live, version), 10_000)
    }
  })
  afterAll(async () => {
    live.node.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it("is the newest version, and holds the value to the byte", async () => {
    const { code, stdout, stderr } = await run([example("getRecord.mjs"), "My-Secret"])
    expect(code).toBe(0)
    expect(stderr).toContain("v1/127.0.0.1_")
    expect(stderr).toContain("kid: 'local-recovery'")
    expect(stdout).not.toContain(value)
    writeFileSync(join(directory, "record.jwe.json"), stdout)

    const argv = ["jwe", "dec", "-i", "record.jwe.json", "-k", ".local/recovery-key.jwks.json"]
    const record = JSON.parse(execFileSync(tool, argv, { cwd: directory, encoding: "utf8" })) as unknown
    expect(record).toMatchObject({ format: "keyvault-backup/1", object: { name: "my-secret" }, value })
  })

  it("is said not to be there for another name", async () => {
    const { code, stderr } = await run([example("getRecord.mjs"), "other"])
    expect(code).toBe(1)
    expect(stderr).toContain("No record is stored below v1/127.0.0.1_")
  })
})

function assertStored({ node }: LiveCloud, version: string): void {
  if (!node.stdout().includes(`${version}  stored`))
    throw new Error(`${version} is not stored: ${node.stdout()}`)
}
