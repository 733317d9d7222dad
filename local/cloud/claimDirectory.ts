import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { StartError } from "./startError.ts"

/**
 * Makes sure that no other cloud runs on `directory`, whose `.local/cloud.json` this one would overwrite.
 *
 * @throws StartError naming the process that does.
 */
export function assertNoCloudHere(directory: string): void {
  const file = join(directory, ".local", "cloud.json")
  const pid = pidIn(file)
  if (pid === undefined || !isAlive(pid)) return
  throw new StartError(
    `A local cloud already runs here (process ${pid}, ${file}). End it, or start in another folder.`,
  )
}

/**
 * Takes `directory` for a cloud that is kept: it must be new, empty, or a kept cloud that nobody runs.
 *
 * @throws StartError for a file, a folder with anything else in it, or one that is in use.
 */
export function claimKeepDirectory(directory: string): void {
  const stats = statSync(directory, { throwIfNoEntry: false })
  if (stats && !stats.isDirectory()) throw new StartError(`--keep needs a folder; ${directory} is none`)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch {
    throw new StartError(`--keep cannot make the folder ${directory}`)
  }
  const claim = join(directory, "cloud.pid")
  const found = readdirSync(directory)
  if (found.length > 0 && !found.includes("cloud.pid")) {
    throw new StartError(`--keep needs a folder of its own; ${directory} holds other files`)
  }
  const pid = pidIn(claim)
  if (pid !== undefined && pid !== process.pid && isAlive(pid)) {
    throw new StartError(`The cloud kept in ${directory} runs already (process ${pid})`)
  }
  writeFileSync(claim, `${JSON.stringify({ pid: process.pid })}\n`, { mode: 0o600 })
}

function pidIn(file: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { readonly pid?: unknown }
    return typeof pid === "number" && Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
