import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { formatChange, parseLine } from "./journalLine.ts"
import type { QueueChange, QueueJournal } from "./queueChange.ts"
import { type QueueSnapshot, SnapshotBuilder, toChanges } from "./queueSnapshot.ts"

/** A journal on disk, and what it held when it was opened. */
export interface OpenJournal {
  readonly journal: QueueJournal
  /** By entity path, lower case. */
  readonly snapshots: ReadonlyMap<string, QueueSnapshot>
  close(): void
}

const fileName = "queues.jsonl"

/**
 * Opens the journal of `directory`, which is made if it is not there. The file holds one JSON array of changes a
 * line. It is read and written anew with the fewest changes, then appended to.
 *
 * A commit is one `write` before anything is acknowledged, so what was acknowledged survives `kill -9` of the
 * process. It is not followed by `fsync`: a crash of the machine may take the last changes with it. A last line that
 * is not whole was never acknowledged, and is left out. One process at a time may have the directory.
 *
 * @throws Error when a line other than the last cannot be read.
 */
export async function openJournal(directory: string): Promise<OpenJournal> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, fileName)
  const snapshots = await readSnapshots(path)
  const fresh = `${path}.new`
  rmSync(fresh, { force: true })
  // Appending, so that a truncated line is followed by the next one without a hole.
  const file = openSync(fresh, "a", 0o600)
  for (const change of toChanges(snapshots)) writeLine(file, [formatChange(change)])
  fsyncSync(file)
  // Until the rename the old file holds; after it this one does. The descriptor stays good.
  renameSync(fresh, path)
  let noted: string[] = []
  let isOpen = true
  return {
    snapshots,
    journal: {
      note: (change: QueueChange) => void noted.push(formatChange(change)),
      commit: () => {
        if (noted.length === 0 || !isOpen) return
        const changes = noted
        noted = []
        writeLine(file, changes)
      },
    },
    close: () => {
      if (isOpen) closeSync(file)
      isOpen = false
    },
  }
}

/** Appends one line, whole or not at all: half a line in the middle would make the file unreadable. */
function writeLine(file: number, changes: readonly string[]): void {
  const bytes = Buffer.from(`[${changes.join(",")}]\n`)
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(file, bytes, written)
  } catch (error) {
    ftruncateSync(file, fstatSync(file).size - written)
    throw error
  }
}

async function readSnapshots(path: string): Promise<Map<string, QueueSnapshot>> {
  const builder = new SnapshotBuilder()
  if (!existsSync(path)) return builder.finish()
  let number = 0
  let broken: { readonly number: number; readonly cause: unknown } | undefined
  for await (const line of createInterface({ input: createReadStream(path) })) {
    number += 1
    if (broken) {
      throw new Error(`Line ${broken.number} of ${path} cannot be read`, { cause: broken.cause })
    }
    try {
      for (const change of parseLine(line)) builder.apply(change)
    } catch (cause) {
      broken = { number, cause }
    }
  }
  return builder.finish()
}
