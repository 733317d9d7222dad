import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, statSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { recordNameOf } from "../support/startJourney.ts"
import { type LiveCloud, startLive } from "../support/startLive.ts"
import { type NodeEnd, startNode } from "../support/startNode.ts"

const example = fileURLToPath(new URL("../../docs/examples/setSecret.mjs", import.meta.url))
const kvbackup = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))

describe("a second terminal beside npm start", () => {
  let directory: string
  let live: LiveCloud
  const run = (argv: readonly string[], input = "") => startNode(argv, { cwd: directory, input }).end
  const cloudFile = () => join(directory, ".local", "cloud.json")
  const rowsOf = (version: string) =>
    live.node
      .stdout()
      .split("\n")
      .filter((line) => line.includes(version))

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "second-terminal-"))
    live = await startLive(directory)
  })
  afterAll(async () => {
    live.node.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it("finds an example of at most 20 lines that needs nothing but the SDK", () => {
    const text = readFileSync(example, "utf8")
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(20)
    const imported = [...text.matchAll(/from "([^"]+)"/g)].map(([, name]) => name)
    expect(imported.filter((name) => !name?.startsWith("node:"))).toEqual(["@azure/keyvault-secrets"])
  })

  it("finds addresses and keys in files that only their owner can read", () => {
    expect(statSync(cloudFile()).mode & 0o777).toBe(0o600)
    expect(statSync(live.file.recoveryKeyFile).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, ".local", "cloud.log")).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, ".local")).mode & 0o777).toBe(0o700)
    expect(live.file).toMatchObject({ format: "kvbackup-local/1", pid: live.node.pid })
  })

  it("sees a version that it sets in the store within two seconds of its creation", async () => {
    const { code, stdout, stderr } = await run(
      [example, "my-secret"],
      `line 1\nline 2 ${randomBytes(6).toString("hex")}\n`,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const id = stdout.trim()
    const blob = live.store.getBlobClient(recordNameOf(id))
    await vi.waitFor(async () => expect(await blob.exists()).toBe(true), { timeout: 5000, interval: 20 })

    const { metadata = {}, contentType } = await blob.getProperties()
    expect(contentType).toBe("application/jose+json")
    // `eventat` is the moment the vault had the version, `putat` the moment before the one PUT.
    const tookMs = Date.parse(metadata["putat"] ?? "") - Date.parse(metadata["eventat"] ?? "")
    expect(tookMs).toBeGreaterThanOrEqual(0)
    expect(tookMs).toBeLessThan(2000)
    expect(metadata).toMatchObject({ origin: "live", attempt: "1", replays: "0" })
  })

  it("is told of it by a plain line: object, version, outcome, ms, blob", async () => {
    const { stdout } = await run([example, "another"], "value")
    const version = stdout.trim().split("/").at(-1) ?? ""
    await vi.waitFor(() => expect(rowsOf(version)).toHaveLength(1), { timeout: 5000, interval: 20 })
    const [object, , outcome, ms, blob] = rowsOf(version)[0]?.split("  ") ?? []
    expect({ object, outcome, blob }).toEqual({
      object: "another",
      outcome: "stored",
      blob: recordNameOf(stdout.trim()),
    })
    expect(Number(ms)).toBeGreaterThan(0)
    expect(live.node.stdout()).not.toMatch(/\u001B|\r/)
  })

  it("verifies that every record opens to the vault's value", async () => {
    const { code, stdout } = await run([kvbackup, "verify", "--deep", "--local"])
    expect(stdout).toBe(
      "2 versions looked at, 2 records opened and compared with the vault: 2 protected, 0 need attention, 0 could not be told\n",
    )
    expect(code).toBe(0)
  })

  it("reads the status as JSON and as text", async () => {
    const { code, stdout } = await run([kvbackup, "status", "--local", "--json"])
    expect(JSON.parse(stdout)).toMatchObject({
      format: "kvbackup-status/1",
      exitCode: 0,
      vaults: [{ vault: live.file.vaults[0]?.url, records: 2, openGaps: [] }],
      queues: { waiting: 0, deferred: 0, deadLettered: 0, quarantined: 0, complete: true },
    })
    expect(code).toBe(0)
    const text = await run([kvbackup, "status", "--local"])
    expect(text.stdout).toContain(`Vault ${live.file.vaults[0]?.url}\n  protected up to  now (`)
  })

  describe("after Ctrl-C", () => {
    let end: NodeEnd

    beforeAll(async () => {
      live.node.signal("SIGINT")
      end = await live.node.end
    })

    it("finds that the cloud ended well", () => {
      expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: "" })
      expect(end.stdout.endsWith("Stopping.\n")).toBe(true)
      expect(live.node.isGroupAlive()).toBe(false)
      expect(existsSync(cloudFile())).toBe(false)
    })

    it("is told by commands to start one", async () => {
      const text = await run([kvbackup, "status", "--local"])
      expect({ code: text.code, stdout: text.stdout }).toEqual({ code: 2, stdout: "" })
      expect(text.stderr).toContain(
        "[ERR_CONFIG_INVALID] There is no .local/cloud.json here\nTry:   Start a local cloud with `npm start`",
      )
      const json = await run([kvbackup, "verify", "--local", "--json"])
      expect(json.code).toBe(2)
      expect(JSON.parse(json.stdout)).toMatchObject({
        format: "kvbackup-error/1",
        code: "ERR_CONFIG_INVALID",
      })
    })
  })
})
