import { readFileSync } from "node:fs"
import { copyFile, mkdtemp, mkdtempDisposable, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "dotenv"
import type { JWK } from "jose"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { parseRecord } from "../../shared/record/record.ts"
import { importOpeningKeys, unsealRecord } from "../../shared/record/unsealRecord.ts"
import { collect } from "../support/collect.ts"
import { type LiveCloud, startLive } from "../support/startLive.ts"
import { type NodeEnd, type NodeProcess, startNode } from "../support/startNode.ts"

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url))
const envFile = "somebodyElses.env"
const jsonFile = "somebodyElses.json"
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

/** What the files say, read by those who define what they say. */
const env = parse(readFileSync(fixture(envFile)))
const json = JSON.parse(readFileSync(fixture(jsonFile), "utf8")) as Record<string, unknown>

/** Lines that cannot be imported, and the names that are lost by it. */
const refused = [
  { file: envFile, line: 45, reason: "neither NAME=value nor a comment" },
  { file: envFile, line: 68, reason: "neither NAME=value nor a comment" },
  { file: envFile, line: 70, reason: "neither NAME=value nor a comment" },
  { file: envFile, line: 129, reason: "neither NAME=value nor a comment" },
  { file: envFile, line: 164, name: "spring.datasource.password", reason: "a vault does not take" },
  { file: envFile, line: 165, name: "spring.mail.host", reason: "a vault does not take" },
  { file: envFile, line: 167, name: "API_KEY", reason: 'the same name as "API-KEY" in line 166' },
  { file: envFile, line: 169, name: "MIXED_CASE", reason: 'the same name as "Mixed_Case" in line 168' },
  { file: envFile, line: 278, name: "MOTD", reason: "a quote that is not closed" },
  { file: jsonFile, line: 6, name: "number", reason: "a number; only strings" },
  { file: jsonFile, line: 7, name: "nested", reason: "an object; only strings" },
  { file: jsonFile, line: 8, name: "nothing", reason: "null; only strings" },
  { file: jsonFile, line: 9, name: "with space", reason: "a vault does not take" },
  { file: jsonFile, line: 10, name: "LOG_LEVEL", reason: `in line 8 of ${envFile}` },
]
const notAsMeant = [
  { file: envFile, line: 56, reason: '"HASH_IN_MIDDLE" ends at a #' },
  { file: envFile, line: 59, reason: '"COLOR" ends at a #' },
  { file: envFile, line: 277, reason: '"DB_PASSWORD" is set again and replaces lines 15, 17' },
  { file: jsonFile, line: 13, reason: '"twice" is set again and replaces line 12' },
]

/** Every name that a vault shall have, as a vault spells it, with its value. */
function expectedSecrets(): Map<string, string> {
  const secrets = new Map<string, string>()
  for (const [file, values] of [
    [envFile, env],
    [jsonFile, json],
  ] as const) {
    for (const [name, value] of Object.entries(values)) {
      if (refused.some((line) => line.file === file && line.name === name)) continue
      secrets.set(name.replaceAll("_", "-").toLowerCase(), value as string)
    }
  }
  return secrets
}

let directory: string
const started: NodeProcess[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "import-"))
  for (const name of [envFile, jsonFile]) await copyFile(fixture(name), join(directory, name))
})
afterAll(async () => {
  for (const node of started) node.kill()
  await rm(directory, { recursive: true, force: true })
})

describe("npm start -- --import --once", () => {
  let end: NodeEnd

  beforeAll(async () => {
    const node = startNode([start, "--import", envFile, jsonFile, "--once"], { cwd: directory })
    started.push(node)
    end = await node.end
  })

  it("ends with 0: what could be imported is protected", () => {
    const count = expectedSecrets().size
    expect(count).toBeGreaterThan(195)
    expect(end.code).toBe(0)
    expect(end.stdout).toContain(`${count} changes: ${count} stored\n`)
    expect(end.stdout).toContain(`${count} records opened with the recovery key`)
    expect(end.stdout).toContain(`${refused.length} entries could not be imported`)
  })

  it("names each entry that it left out, with file and line, and nothing else", () => {
    const lines = end.stderr.trimEnd().split("\n")
    expect(lines).toHaveLength(refused.length + notAsMeant.length)
    for (const { file, line, reason } of [...refused, ...notAsMeant]) {
      const said = lines.find((text) => text.startsWith(`${file}:${line} `))
      expect(said, `${file}:${line}`).toContain(reason)
    }
  })

  it("prints no value", () => {
    const long = Object.values({ ...env, ...json }).filter((value) => String(value).length >= 12)
    expect(long.length).toBeGreaterThan(100)
    const printed = end.stdout + end.stderr + readFileSync(join(directory, ".local", "cloud.log"), "utf8")
    for (const value of long) expect(printed).not.toContain(String(value))
  })
})

describe("npm start -- --import", () => {
  let live: LiveCloud

  beforeAll(async () => {
    live = await startLive(directory, "--import", envFile, jsonFile)
    started.push(live.node)
  })

  it("seals each value as dotenv and JSON read it, to the byte", async () => {
    const expected = expectedSecrets()
    const stored = () => live.node.stdout().match(/ {2}stored {2}/g) ?? []
    await vi.waitFor(() => expect(stored()).toHaveLength(expected.size), { timeout: 20_000, interval: 50 })

    const keys = JSON.parse(readFileSync(live.file.recoveryKeyFile, "utf8")) as { keys: JWK[] }
    const openingKeys = await importOpeningKeys(keys)
    const opened = new Map<string, string>()
    for (const { name } of await collect(live.store.listBlobsFlat())) {
      const sealed = await live.store.getBlobClient(name).downloadToBuffer()
      const record = parseRecord(await unsealRecord(sealed, name, openingKeys))
      opened.set(record.object.name, record.value)
    }
    const byName = (a: readonly [string, string], b: readonly [string, string]) => (a[0] < b[0] ? -1 : 1)
    expect([...opened].toSorted(byName)).toEqual([...expected].toSorted(byName))
  })

  it("says how many were imported and which lines were not", () => {
    const count = expectedSecrets().size
    expect(live.node.stdout()).toContain(`Imported ${count} secrets, ${refused.length} problems\n`)
    for (const { file, line } of refused) expect(live.node.stdout()).toContain(`\n  ${file}:${line} `)
  })
})

describe("npm start -- --import --once --timeout", () => {
  it("ends with 30 and the list when the store takes nothing in time", async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), "timeout-"))
    await copyFile(fixture(envFile), join(place.path, envFile))
    const { node, file } = await startLive(place.path, "--import", envFile, "--once", "--timeout", "2")
    started.push(node)
    const response = await fetch(`${file.control.url}/faults`, {
      method: "POST",
      headers: { authorization: `Bearer ${file.control.token}` },
      body: JSON.stringify({ target: "blob", match: { method: "PUT" }, effect: "status", status: 503 }),
    })
    expect(response.status).toBe(200)
    const { code, stdout } = await node.end
    expect(code).toBe(30)
    const wrong = stdout.split("\n").filter((line) => line.startsWith("WRONG: "))
    expect(wrong.length).toBeGreaterThan(0)
    expect(wrong[0]).toMatch(/^WRONG: \S+ \(\S+ [0-9a-f]{32}\): expected stored, is (deferred|waiting)$/)
    expect(stdout).toContain("NOT YET PROTECTED")
  })
})
