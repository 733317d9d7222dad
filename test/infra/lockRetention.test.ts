import { execFile, execFileSync, spawn } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { describeWith } from "../support/requiredSuite.ts"

const script = join(import.meta.dirname, "../../infra/scripts/lockRetention.sh")
const guard = join(import.meta.dirname, "../../infra/scripts/guardDown.sh")
const needed = ["--resource-group", "rg", "--account", "stkvbb"]
const policy =
  "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stkvbb/blobServices/default/containers/keyvault-backups/immutabilityPolicies/default"

/** Stands for `az`, which is on no machine that tests: writes down how it is called, and keeps a policy in a file. */
const az = `#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$AZ_LOG"
case "$*" in
  "account show"*) echo sub-1 ;;
  "rest --method get"*) [ -s "$AZ_STATE" ] && cat "$AZ_STATE" || { echo 'ERROR: ContainerNotFound' >&2; exit 1; } ;;
  "rest --method post"*)
    [ -z "$AZ_REFUSES" ] || { echo 'ERROR: 412' >&2; exit 1; }
    sed -i 's/^Unlocked/Locked/' "$AZ_STATE" ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
esac
`

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"))
  writeFileSync(join(directory, "az"), az)
  chmodSync(join(directory, "az"), 0o755)
})

afterEach(() => rmSync(directory, { recursive: true }))

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly posts: readonly string[]
}

function lock(
  argv: readonly string[],
  { typed = "", state = 'Unlocked|365|"8DD"', refuses = false, path = directory } = {},
): Promise<Result> {
  const file = join(directory, "state")
  const log = join(directory, "log")
  writeFileSync(file, state)
  const { PATH = "" } = process.env
  return new Promise((resolve) => {
    const child = spawn("bash", [script, ...argv], {
      env: {
        PATH: `${path}${delimiter}${PATH}`,
        AZ_STATE: file,
        AZ_LOG: log,
        AZ_REFUSES: refuses ? "1" : "",
      },
    })
    const texts = { out: "", err: "" }
    child.stdout.on("data", (chunk: Buffer) => (texts.out += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (texts.err += chunk.toString()))
    child.once("close", (code) => {
      const calls = existsSync(log) ? readFileSync(log, "utf8").split("\n") : []
      resolve({ code, ...texts, posts: calls.filter((call) => call.includes("--method post")) })
    })
    // It may have ended before it reads.
    child.stdin.on("error", () => {})
    child.stdin.end(typed)
  })
}

describe("infra/scripts/lockRetention.sh", () => {
  it("tells what it would do, and changes nothing", async () => {
    const { code, out, posts } = await lock(needed)
    expect({ code, posts }).toEqual({ code: 0, posts: [] })
    expect(out).toContain("365 days")
    expect(out).toContain("CANNOT BE UNDONE")
    expect(out).toContain(`POST ${policy}/lock?api-version=`)
    expect(out).toContain('If-Match: "8DD"')
  })

  it("locks after the name was typed, only what was shown, once", async () => {
    const { code, out, posts } = await lock([...needed, "--execute"], { typed: "keyvault-backups\n" })
    expect(code).toBe(0)
    expect(posts).toHaveLength(1)
    expect(posts[0]).toContain(`--url ${policy}/lock?api-version=2025-06-01`)
    expect(posts[0]).toContain('--headers If-Match="8DD"')
    expect(out).toContain("azd env set KVB_LOCK_CONFIRMED keyvault-backups")
  })

  it.each(["", "yes\n", "keyvault-backup\n", "KEYVAULT-BACKUPS\n", " keyvault-backups\n"])(
    "does not lock for '%s'",
    async (typed) => {
      const { code, err, posts } = await lock([...needed, "--execute"], { typed })
      expect({ code, posts }).toEqual({ code: 3, posts: [] })
      expect(err).toContain("nothing was changed")
    },
  )

  it("has nothing to do where it is locked already", async () => {
    const { code, out, posts } = await lock([...needed, "--execute"], { state: 'Locked|365|"8DD"' })
    expect({ code, posts }).toEqual({ code: 0, posts: [] })
    expect(out).toContain("locked already")
  })

  it.each([
    { name: "no policy", state: "" },
    { name: "a policy without days", state: 'Unlocked|null|"8DD"' },
    { name: "a policy without etag", state: "Unlocked|365|" },
    { name: "an unknown state", state: 'Disabled|365|"8DD"' },
  ])("stops at $name", async ({ state }) => {
    const { code, posts } = await lock([...needed, "--execute"], { state, typed: "keyvault-backups\n" })
    expect({ code, posts }).toEqual({ code: 1, posts: [] })
  })

  it("says so when Azure refuses, as it does when somebody changed the policy meanwhile", async () => {
    const { code, err, out } = await lock([...needed, "--execute"], {
      typed: "keyvault-backups\n",
      refuses: true,
    })
    expect(code).toBe(1)
    expect(err).toContain("Azure did not lock it")
    expect(out).not.toContain("Locked for")
  })

  it.each([[["--account", "a"]], [[...needed, "--force"]], [["--resource-group"]]])(
    "refuses %j",
    async (argv) => {
      const { code, posts } = await lock(argv)
      expect({ code, posts }).toEqual({ code: 2, posts: [] })
    },
  )
})

function shellcheckMissing(): string | undefined {
  try {
    execFileSync("shellcheck", ["--version"])
    return undefined
  } catch {
    return "there is no shellcheck"
  }
}

describeWith("shellcheck", shellcheckMissing(), "shellcheck", () => {
  it("has nothing to say about the scripts", async () => {
    const said = await new Promise<string>((resolve) => {
      execFile("shellcheck", [script, guard], (_error, stdout) => resolve(stdout))
    })
    expect(said).toBe("")
  })
})
