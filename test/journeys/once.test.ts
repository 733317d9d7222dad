import { existsSync } from "node:fs"
import { mkdtemp, mkdtempDisposable, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type NodeEnd, type NodeProcess, startNode } from "../support/startNode.ts"

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url))
let directory: string
const started: NodeProcess[] = []

function run(cwd: string, ...argv: string[]): NodeProcess {
  const node = startNode([start, ...argv], { cwd })
  started.push(node)
  return node
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "once-"))
})
afterAll(async () => {
  for (const node of started) node.kill()
  await rm(directory, { recursive: true, force: true })
})

describe("npm start -- --once", () => {
  let node: NodeProcess
  let end: NodeEnd
  let rows: readonly (readonly string[])[]
  const rowsOf = (object: string) => rows.filter(([name]) => name === object)

  beforeAll(async () => {
    node = run(directory, "--once")
    end = await node.end
    const [table = ""] = end.stdout.split("\n\n")
    rows = table.split("\n").map((line) => line.split("  "))
  })

  it("ends with 0 and has nothing to complain about", () => {
    expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: "" })
    expect(end.stdout).not.toContain("WRONG")
  })

  it("prints a row for each change: object, version, outcome, ms, blob", () => {
    expect(rows[0]).toEqual(["object", "version", "outcome", "ms", "blob"])
    expect(rows.length).toBeGreaterThanOrEqual(15)
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([5]))
  })

  it.each([
    "plain",
    "pem-text",
    "pem-crlf",
    "mixed-lines",
    "empty",
    "largest",
    "largest-multi-byte",
    "non-ascii",
    "control",
    "escapes",
    "trailing",
    "json",
    "tags",
    "content-type",
    "expired",
    "not-yet-valid",
  ])("stores %s under its name and version", (object) => {
    const [[, version = "", outcome, ms, blob] = []] = rowsOf(object)
    expect(outcome).toBe("stored")
    expect(version).toMatch(/^[0-9a-f]{32}$/)
    expect(ms).toMatch(/^\d+$/)
    expect(blob).toMatch(new RegExp(`^v1/127\\.0\\.0\\.1_\\d+/secrets/${object}/${version}\\.jwe\\.json$`))
  })

  it("stores two versions made at once each by itself", () => {
    const stored = rowsOf("together").filter(([, , outcome]) => outcome === "stored")
    expect(new Set(stored.map(([, version]) => version)).size).toBe(2)
  })

  it("knows a repeated event and an event that asks for no backup", () => {
    expect(rowsOf("plain").map(([, , outcome]) => outcome)).toEqual(["stored", "alreadyStored"])
    expect(rowsOf("(near-expiry event)")).toEqual([["(near-expiry event)", "-", "skipped", "-", "-"]])
  })

  it.each(["tls-rsa-pfx", "tls-ec-pem", "tls-chain-pfx", "tls-chain-pem"])(
    "stores the certificate %s once, although three events tell of it",
    (object) => {
      const [[, version = "", outcome, , blob] = [], ...more] = rowsOf(object)
      expect(more).toEqual([])
      expect(outcome).toBe("stored")
      expect(blob).toMatch(
        new RegExp(`^v1/127\\.0\\.0\\.1_\\d+/certificates/${object}/${version}\\.jwe\\.json$`),
      )
    },
  )

  it("says in table, summary and a line of its own that a key which stays in the vault is not backed up", () => {
    const [[, version = "", outcome] = []] = rowsOf("tls-key-kept")
    expect(outcome).toBe("stored, PUBLIC PART ONLY")
    expect(end.stdout).toContain("1 NOT FULLY PROTECTED (public part only)")
    expect(end.stdout).toMatch(
      new RegExp(
        `^NOT FULLY PROTECTED: https://\\S+/certificates/tls-key-kept/${version} \\(public part only`,
        "m",
      ),
    )
  })

  it("lists a disabled certificate as not protected", () => {
    expect(rowsOf("tls-disabled")[0]?.[2]).toBe("unreadable")
    expect(end.stdout).toMatch(/^NOT PROTECTED: \S+\/certificates\/tls-disabled\/[0-9a-f]{32} \(disabled\)$/m)
  })

  it("lists the version that cannot be read as not protected", () => {
    const [[, version = "", outcome, , blob] = []] = rowsOf("disabled")
    expect(outcome).toBe("unreadable")
    expect(blob).toMatch(/^gaps\/v1\/.*\.disabled\.json$/)
    expect(end.stdout).toMatch(
      new RegExp(
        `^NOT PROTECTED: https://127\\.0\\.0\\.1:\\d+/secrets/disabled/${version} \\(disabled\\)$`,
        "m",
      ),
    )
  })

  it("opens every stored record", () => {
    const stored = rows.filter(([, , outcome]) => outcome === "stored")
    expect(end.stdout).toContain(`\n${stored.length} records opened with the recovery key`)
  })

  it("leaves nothing running and no cloud.json", () => {
    expect(node.isGroupAlive()).toBe(false)
    expect(existsSync(join(directory, ".local", "cloud.log"))).toBe(true)
    expect(existsSync(join(directory, ".local", "cloud.json"))).toBe(false)
  })
})

describe("the command line of npm start", () => {
  it.each([
    { name: "an unknown flag", argv: ["--once", "--tiemout", "3"] },
    { name: "a timeout that is no number", argv: ["--once", "--timeout", "nonsense"] },
    { name: "a timeout of nothing", argv: ["--once", "--timeout", "0"] },
    { name: "a word too many", argv: ["--once", "now"] },
    { name: "an import of nothing", argv: ["--import"] },
  ])("ends with 2 and the list of flags for $name", async ({ argv }) => {
    const { code, stdout, stderr } = await run(directory, ...argv).end
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    for (const flag of ["--once", "--import", "--timeout"]) expect(stderr).toContain(flag)
    expect(stderr).toContain(argv.at(-1) === "3" ? "--tiemout" : (argv.at(-1) ?? ""))
  })

  it("tells the flags and the exit codes when asked for help", async () => {
    const { code, stdout } = await run(directory, "--help").end
    expect(code).toBe(0)
    expect(stdout).toContain("130 interrupted")
  })
})

describe("Ctrl-C during npm start -- --once", () => {
  it.each([
    { name: "while the cloud starts", file: "ca.pem" },
    { name: "while changes are made", file: "cloud.json" },
  ])("ends with 130 $name, and leaves nothing behind", async ({ file }) => {
    await using place = await mkdtempDisposable(join(tmpdir(), "interrupted-"))
    const node = run(place.path, "--once")
    const local = join(place.path, ".local")
    await vi.waitFor(() => expect(existsSync(join(local, file))).toBe(true), { timeout: 15_000, interval: 5 })
    node.signal("SIGINT")
    const { code, stderr } = await node.end
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" })
    expect(node.isGroupAlive()).toBe(false)
    expect(existsSync(join(local, "cloud.json"))).toBe(false)
  })
})
