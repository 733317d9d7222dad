import { execFile, type ExecFileException } from "node:child_process"
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** What a program printed, and how it ended. */
export interface Run {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** The folder of the Bicep files. */
export const infraFolder = fileURLToPath(new URL("..", import.meta.url))

const project = fileURLToPath(new URL("bicep", import.meta.url))
const limits = { timeout: 180_000, maxBuffer: 67_108_864 }

/** What the programs get of this process's environment, so that nothing else of it is in a plan. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const { PATH = "", HOME } = process.env
  return {
    PATH,
    // The CLI unpacks a library of its own; without a home it needs to be told where.
    ...(HOME === undefined ? { DOTNET_BUNDLE_EXTRACT_BASE_DIR: join(tmpdir(), "bicep") } : { HOME }),
    DOTNET_CLI_TELEMETRY_OPTOUT: "1",
    DOTNET_NOLOGO: "1",
    DOTNET_CLI_USE_MSBUILD_SERVER: "0",
    MSBUILDDISABLENODEREUSE: "1",
    NUGET_CERT_REVOCATION_MODE: "offline",
  }
}

/** Runs a program to its end, with `more` in its environment. Never rejects. */
export function run(
  program: string,
  argv: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      program,
      argv,
      { cwd, env: { ...toolEnvironment(), ...more }, ...limits },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? error.signal ?? "unknown") : 0, stdout, stderr }),
    )
  })
}

/** The Bicep CLI of the lock file, or why this machine cannot have it. */
export type BicepCli = { readonly path: string } | { readonly missing: string }

/**
 * Restores the CLI by the hash in `packages.lock.json`, once: with a filled cache nothing is asked of the network.
 *
 * @throws Error when the package is not the one that the lock file names.
 */
export async function restoreBicep(): Promise<BicepCli> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { missing: `the pinned Bicep CLI is for linux-x64, not ${process.platform}-${process.arch}` }
  }
  const version = await run("dotnet", ["--version"], project)
  if (version.code !== 0 || Number.parseInt(version.stdout, 10) < 10) {
    return { missing: "there is no .NET 10 SDK" }
  }
  const restored = await run("dotnet", ["restore", "--locked-mode"], project)
  if (/\bNU1301\b/.test(restored.stdout)) return { missing: "NuGet cannot be reached" }
  if (restored.code !== 0) {
    throw new Error(`The Bicep CLI does not restore: ${restored.stdout}${restored.stderr}`)
  }
  const asked = await run("dotnet", ["msbuild", "-getProperty:BicepPath"], project)
  const path = asked.stdout.trim()
  if (asked.code !== 0 || !existsSync(path)) throw new Error(`There is no Bicep CLI at ${path}`)
  return { path }
}
