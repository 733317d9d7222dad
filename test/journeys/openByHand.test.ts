import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generalDecrypt, importJWK } from "jose"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { recipientPair, type RecipientPair } from "../support/recipientPair.ts"
import { describeWith } from "../support/requiredSuite.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"
import { type LiveCloud, startLive } from "../support/startLive.ts"
import { startNode } from "../support/startNode.ts"

const project = fileURLToPath(new URL("../..", import.meta.url))
/** Debian's, not the npm package of that name. */
const tool = "jose"
const { error } = spawnSync(tool, ["--version"])
const missing = error ? "the tool `jose` is not installed" : undefined
const value = 'line 1\r\n\n  "line" 2 🔑 \\ \u0000\n'

interface Opened {
  readonly format: string
  readonly object: { readonly id: string }
  readonly value: string
}

/** What a tool that is not ours makes of the record: its text, or that it fails. */
function josePlaintext(recordFile: string, keyFile: string): string | undefined {
  const { status, stdout } = spawnSync(tool, ["jwe", "dec", "-i", recordFile, "-k", keyFile], {
    encoding: "utf8",
  })
  return status === 0 ? stdout : undefined
}

describe("a record sealed to three keys", () => {
  let journey: Journey
  let directory: string
  let pairs: Readonly<Record<"first EC" | "RSA" | "second EC", RecipientPair>>
  let id: string
  const recordFile = () => join(directory, "record.json")
  const keyFile = (name: keyof typeof pairs) => join(directory, `${name}.jwks.json`)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "open-by-hand-"))
    pairs = {
      "first EC": await recipientPair("EC", "first"),
      RSA: await recipientPair(
        "RSA",
        "https://kv-demo.vault.azure.net/keys/backup/0123456789abcdef0123456789abcdef",
      ),
      "second EC": await recipientPair("EC", "second"),
    }
    const keys = Object.values(pairs).map(({ publicJwk }) => publicJwk)
    journey = await startJourney({ settings: { BACKUP_RECIPIENTS: JSON.stringify({ keys }) } })
    id = await journey.set("by-hand", value, { tags: { owner: "team-a" } })
    await journey.settled()
    await writeFile(
      recordFile(),
      await journey.store("user").getBlobClient(recordNameOf(id)).downloadToBuffer(),
    )
    for (const [name, { privateJwk }] of Object.entries(pairs)) {
      await writeFile(keyFile(name as keyof typeof pairs), JSON.stringify({ keys: [privateJwk] }))
    }
  })
  afterAll(async () => {
    await journey.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it.each(["first EC", "RSA", "second EC"] as const)(
    "opens with the %s key in five lines with npm's jose",
    async (name) => {
      const jwe = JSON.parse(readFileSync(recordFile(), "utf8"))
      const [jwk] = JSON.parse(readFileSync(keyFile(name), "utf8")).keys
      const key = await importJWK(jwk, jwk.kty === "RSA" ? "RSA-OAEP-256" : "ECDH-ES+A256KW")
      const { plaintext } = await generalDecrypt(jwe, key)
      const record = JSON.parse(Buffer.from(plaintext).toString()) as Opened
      expect(record).toMatchObject({
        format: "keyvault-backup/1",
        object: { id },
        tags: { owner: "team-a" },
        value,
      })
    },
  )

  describeWith("jose", missing, "with Debian's jose", () => {
    it.each(["first EC", "second EC"] as const)("opens with the %s key", (name) => {
      const record = JSON.parse(josePlaintext(recordFile(), keyFile(name)) ?? "null") as Opened
      expect(record).toMatchObject({ format: "keyvault-backup/1", object: { id }, value })
    })

    it("does not open with another key, nor under another name", async () => {
      const other = await recipientPair("EC", "first")
      await writeFile(join(directory, "other.json"), JSON.stringify(other.privateJwk))
      expect(josePlaintext(recordFile(), join(directory, "other.json"))).toBeUndefined()

      const sealed = JSON.parse(readFileSync(recordFile(), "utf8")) as { protected: string }
      const header = Buffer.from(sealed.protected, "base64url").toString()
      expect(header).toContain(`"kvb":"${recordNameOf(id).replace(".jwe.json", "")}"`)
      const renamed = Buffer.from(header.replace("/by-hand/", "/by-hund/")).toString("base64url")
      await writeFile(join(directory, "renamed.json"), JSON.stringify({ ...sealed, protected: renamed }))
      expect(josePlaintext(join(directory, "renamed.json"), keyFile("first EC"))).toBeUndefined()
    })
  })
})

describeWith("jose", missing, "the commands of the README for opening a record by hand", () => {
  let live: LiveCloud
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "readme-"))
    live = await startLive(directory)
  })
  afterAll(async () => {
    live.node.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it("print the ledger entry and the record with its value", async () => {
    const examples = join(project, "docs", "examples")
    const setSecret = startNode([join(examples, "setSecret.mjs"), "my-secret"], {
      cwd: directory,
      input: value,
    })
    const id = (await setSecret.end).stdout.trim()
    const blob = live.store.getBlobClient(recordNameOf(id))
    await vi.waitFor(async () => expect(await blob.exists()).toBe(true), { timeout: 5000, interval: 20 })

    const readme = readFileSync(join(project, "README.md"), "utf8")
    const [, section = ""] = readme.split("## Open a record by hand")
    const [, commands = ""] = /```sh\n([^`]*)```/.exec(section) ?? []
    expect(commands.trim().split("\n")).toHaveLength(2)
    // In a checkout these are `npx node` and a path from its root; here the folder is another one.
    const script = commands.replaceAll("npx node docs/examples/", `"$NODE" "$EXAMPLES"/`)
    const output = execFileSync("sh", ["-ec", `(${script}) 2>entry`], {
      cwd: directory,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], NODE: process.execPath, EXAMPLES: examples },
    })
    expect(JSON.parse(output)).toMatchObject({ format: "keyvault-backup/1", object: { id }, value })
    const entry = readFileSync(join(directory, "entry"), "utf8")
    expect(entry).toContain(recordNameOf(id))
    expect(entry).toMatch(/putat: '20\d\d-/)
  })
})
