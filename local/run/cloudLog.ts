import { createWriteStream, mkdirSync } from "node:fs"
import { join } from "node:path"
import { assertNoCloudHere } from "../cloud/claimDirectory.ts"

/** The file that everything in the cloud prints to. */
export interface CloudLog {
  readonly file: string
  readonly write: (source: string, line: string) => void
  readonly close: () => Promise<void>
}

/**
 * Opens `.local/cloud.log` below `directory` anew, readable by its owner only.
 *
 * @throws StartError when another cloud writes there.
 */
export function openCloudLog(directory: string): CloudLog {
  assertNoCloudHere(directory)
  mkdirSync(join(directory, ".local"), { recursive: true, mode: 0o700 })
  const file = join(directory, ".local", "cloud.log")
  const stream = createWriteStream(file, { mode: 0o600 })
  return {
    file,
    write: (source, line) => stream.write(`${new Date().toISOString()} ${source}: ${line}\n`),
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  }
}
