import { type ExecFileException, execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Cloud, startCloud } from "../../local/cloud/startCloud.ts"
import { describeWith } from "../support/requiredSuite.ts"

interface Run {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

const project = fileURLToPath(new URL("dotnet", import.meta.url))
const limits = { timeout: 120_000, maxBuffer: 16_777_216 }

/** Runs the SDK's tool in the folder of the program; nothing of it stays behind. */
function dotnet(...argv: string[]): Promise<Run> {
  const { PATH = "", HOME = "" } = process.env
  const env = {
    PATH,
    HOME,
    DOTNET_CLI_TELEMETRY_OPTOUT: "1",
    DOTNET_NOLOGO: "1",
    MSBUILDDISABLENODEREUSE: "1",
    DOTNET_CLI_USE_MSBUILD_SERVER: "0",
    NUGET_CERT_REVOCATION_MODE: "offline",
  }
  return new Promise((resolve) => {
    execFile(
      "dotnet",
      argv,
      { cwd: project, env, ...limits },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? error.signal ?? "unknown") : 0, stdout, stderr }),
    )
  })
}

/** Restores exactly the packages of the lock file. @returns why this machine cannot, if it cannot. */
async function prepare(): Promise<string | undefined> {
  const version = await dotnet("--version")
  if (version.code !== 0 || Number.parseInt(version.stdout, 10) < 10) return "there is no .NET 10 SDK"
  const restore = await dotnet("restore", "--locked-mode")
  if (/\bNU1301\b/.test(restore.stdout)) return "NuGet cannot be reached"
  if (restore.code !== 0) throw new Error(`The packages do not restore: ${restore.stdout}${restore.stderr}`)
  return undefined
}

describeWith("dotnet", await prepare(), "a local cloud asked by the .NET clients", () => {
  let directory: string
  let cloud: Cloud
  let run: Run
  let checks: readonly Check[]

  beforeAll(async () => {
    const built = await dotnet(
      "build",
      "--no-restore",
      "--configuration",
      "Release",
      "-p:UseSharedCompilation=false",
    )
    if (built.code !== 0) throw new Error(`The program does not build: ${built.stdout}`)
    directory = await mkdtemp(join(tmpdir(), "interop-"))
    cloud = await startCloud({ directory, queueOptions: { lockDurationMs: 4000 } })
    const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    // By default nobody may overwrite or delete; the policy alone shall refuse it here.
    cloud.access.setRoles({
      user: [
        ...(cloud.access.roles()["user"] ?? []),
        `${blobs}/write`,
        `${blobs}/add/action`,
        `${blobs}/delete`,
      ],
    })
    run = await dotnet(
      join("bin", "Release", "net10.0", "Interop.dll"),
      join(directory, ".local", "cloud.json"),
    )
    checks = run.stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Check]))
  }, 180_000)
  afterAll(async () => {
    await cloud?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it.each([
    { area: "service bus over TLS", count: 15 },
    { area: "service bus over TCP", count: 15 },
    { area: "service bus", count: 6 },
    { area: "secrets", count: 11 },
    { area: "certificates", count: 10 },
    { area: "blobs", count: 11 },
  ])("passes every check of $area", ({ area, count }) => {
    const own = checks.filter(({ name }) => name.startsWith(`${area}: `))
    expect(own.filter(({ ok }) => !ok)).toEqual([])
    expect(own).toHaveLength(count)
  })

  it("ends with success and prints nothing else", () => {
    expect(run).toMatchObject({ code: 0, stderr: "" })
    expect(checks).toHaveLength(68)
  })
})
