import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"

const folder = mkdtempSync(join(tmpdir(), "kvbackup-"))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = folder) {
  let out = ""
  let err = ""
  const exitCode = await main(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env,
    cwd,
  })
  return { exitCode, out, err }
}

/** The folder of a local cloud that is described by `cloud`. */
function aCloudFile(name: string, cloud: unknown): string {
  const cwd = join(folder, name)
  mkdirSync(join(cwd, ".local"), { recursive: true })
  writeFileSync(join(cwd, ".local", "cloud.json"), typeof cloud === "string" ? cloud : JSON.stringify(cloud))
  return cwd
}

describe("main", () => {
  it.each([
    { name: "the program", argv: ["--help"], says: ["status", "verify", "--credential", "Exit codes:"] },
    { name: "the program, in short", argv: ["-h"], says: ["status"] },
    {
      name: "a command",
      argv: ["status", "--help"],
      says: ["Usage: kvbackup status", "--local", "--json", "Exit codes:"],
    },
    { name: "a command with options", argv: ["help", "verify"], says: ["--deep", "--object", "--key-file"] },
  ])("helps with $name", async ({ argv, says }) => {
    const { exitCode, out, err } = await run(argv)
    expect(exitCode).toBe(0)
    expect(err).toBe("")
    for (const words of says) expect(out).toContain(words)
  })

  it("shows help on stderr and fails when it is given no command", async () => {
    const { exitCode, out, err } = await run([])
    expect([exitCode, out]).toEqual([2, ""])
    expect(err).toContain("Usage: kvbackup")
    expect(err).not.toContain("Error:")
  })

  const usage = [
    { name: "an unknown command", argv: ["backup"], says: "unknown command 'backup'" },
    {
      name: "a command nearly right",
      argv: ["statos"],
      says: "unknown command 'statos' (Did you mean status?)",
    },
    { name: "an unknown option", argv: ["status", "--deep"], says: "unknown option '--deep'" },
    {
      name: "an option without its value",
      argv: ["verify", "--object"],
      says: "option '--object <url>' argument missing",
    },
    {
      name: "a value that is no choice",
      argv: ["--credential", "mine", "status"],
      says: "Allowed choices are managedIdentity",
    },
    { name: "too many arguments", argv: ["status", "now"], says: "too many arguments for 'status'" },
  ]

  it.each(usage)("says in two lines what is wrong and what to try: $name", async ({ argv, says }) => {
    const { exitCode, out, err } = await run(argv)
    expect([exitCode, out]).toEqual([2, ""])
    const lines = err.split("\n")
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^Error: \[ERR_CONFIG_INVALID\] /)
    expect(lines[0]).toContain(says)
    expect(lines.slice(1)).toEqual(["Try:   Run `kvbackup --help`; it lists commands and options.", ""])
  })

  it.each(usage)("says the same as a document with --json: $name", async ({ argv, says }) => {
    const { exitCode, out, err } = await run(["--json", ...argv])
    expect([exitCode, err]).toEqual([2, ""])
    expect(JSON.parse(out)).toEqual({
      format: "kvbackup-error/1",
      code: "ERR_CONFIG_INVALID",
      message: expect.stringContaining(says),
      details: {},
      try: "Run `kvbackup --help`; it lists commands and options.",
    })
  })

  it.each([
    {
      name: "status",
      argv: ["status"],
      missing: ["BACKUP_VAULTS", "BACKUP_STORE_URL", "BackupServiceBus__fullyQualifiedNamespace"],
    },
    { name: "verify", argv: ["verify"], missing: ["BACKUP_VAULTS", "BACKUP_STORE_URL"] },
  ])("names every setting that $name lacks at once", async ({ argv, missing }) => {
    const { exitCode, out, err } = await run(argv)
    expect([exitCode, out]).toEqual([2, ""])
    for (const name of missing) expect(err).toContain(`  ${name} is not set\n`)
    expect(err).toMatch(/^Error: \[ERR_CONFIG_INVALID\] \d settings are wrong:/)
    expect(err).toMatch(/^Where: problems \d$/m)
    expect(err).toMatch(/^Try: {3}Set the named setting /m)
  })

  it("quotes no setting that may hold a secret", async () => {
    const { err } = await run(["status"], {
      BackupServiceBus__fullyQualifiedNamespace: "Endpoint=sb://ns/;SharedAccessKey=hunter2",
      BACKUP_RECIPIENTS: '{"keys":[{"kty":"oct","k":"hunter2","kid":"a"}]}',
      BACKUP_STORE_URL: "https://a.blob.core.windows.net/?sig=hunter2",
    })
    expect(err).toContain("4 settings are wrong")
    expect(err).not.toContain("hunter2")
  })

  const settings = {
    BACKUP_VAULTS: "https://kv-a.vault.azure.net",
    BACKUP_STORE_URL: "https://a.blob.core.windows.net",
  }
  it.each([
    {
      name: "an object that is no URL",
      argv: ["--object", "db-password"],
      says: /--object is no object of a vault/,
    },
    {
      name: "an object of another vault",
      argv: ["--object", "https://kv-b.vault.azure.net/secrets/a"],
      says: /not in BACKUP_VAULTS/,
    },
    { name: "deep without keys", argv: ["--deep"], says: /--key-file FILE/ },
    {
      name: "a key file that is not there",
      argv: ["--deep", "--key-file", join(folder, "none.json")],
      says: /Cannot read the key file/,
    },
    {
      name: "a key file that is no JSON",
      argv: ["--deep", "--key-file", import.meta.filename],
      says: /is not JSON/,
    },
    {
      name: "a key file without keys",
      argv: ["--deep", "--key-file", join(import.meta.dirname, "../../package.json")],
      says: /no JWK Set with keys/,
    },
  ])("verify refuses $name", async ({ argv, says }) => {
    const { exitCode, err } = await run(["verify", ...argv], settings)
    expect(exitCode).toBe(2)
    expect(err).toMatch(says)
  })
})

describe("main with --local", () => {
  const cloud = {
    format: "kvbackup-local/1",
    pid: 2 ** 30,
    caFile: join(folder, "none.pem"),
    vaults: [{ url: "https://127.0.0.1:1", name: "local" }],
    blob: { url: "https://127.0.0.1:1/a", container: "b", stateContainer: "c", deadLetterContainer: "d" },
    serviceBus: { fullyQualifiedNamespace: "127.0.0.1:1", queue: "q", quarantineQueue: "r" },
    identities: {},
    identityEndpoint: { url: "http://127.0.0.1:1", header: "h" },
    arm: { url: "https://127.0.0.1:1" },
    recoveryKeyFile: "k",
    digestKeyFile: "d",
  }
  it.each([
    { name: "none was ever started here", cwd: folder, says: /There is no .local\/cloud.json here/ },
    { name: "its file is broken", cwd: aCloudFile("broken", "{"), says: /not what this release writes/ },
    {
      name: "its file is of another release",
      cwd: aCloudFile("newer", { ...cloud, format: "kvbackup-local/2" }),
      says: /not what this release writes/,
    },
    { name: "it has ended", cwd: aCloudFile("ended", cloud), says: /has ended/ },
    {
      name: "its certificate is gone",
      cwd: aCloudFile("cut", { ...cloud, pid: process.pid }),
      says: /certificate of the local cloud is gone/,
    },
  ])("says how to start a cloud when $name", async ({ cwd, says }) => {
    for (const command of ["status", "verify"]) {
      const { exitCode, out, err } = await run([command, "--local"], {}, cwd)
      expect([exitCode, out]).toEqual([2, ""])
      expect(err).toMatch(says)
      expect(err).toContain("npm start")
    }
  })

  it("says it as a document too, wherever --json stands", async () => {
    for (const argv of [
      ["--json", "status", "--local"],
      ["status", "--local", "--json"],
    ]) {
      const { exitCode, out, err } = await run(argv)
      expect([exitCode, err]).toEqual([2, ""])
      expect(out.endsWith("\n")).toBe(true)
      expect(JSON.parse(out)).toMatchObject({ format: "kvbackup-error/1", code: "ERR_CONFIG_INVALID" })
    }
  })
})
