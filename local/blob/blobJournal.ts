import { createReadStream } from "node:fs"
import { type FileHandle, open, rename } from "node:fs/promises"
import { parseDocument, stringifyDocument } from "./documentJson.ts"

/** The file a storage account is kept in: a line of JSON for each change, the later one counts. */
const header = { format: "kvbackup-local-blobs/1" } as const

export interface BlobJournal {
  /**
   * Adds a record. When it returns, the operating system has it, so that it outlives the process, however that ends;
   * a power cut is not covered.
   *
   * @throws what the file system throws; after that every further call throws the same.
   */
  append(record: object): Promise<void>
  /** Waits for what is being written. Safe to call again. */
  close(): Promise<void>
}

/**
 * Reads the records of a journal in order; none when there is no file. A last line without its end was never
 * acknowledged and is left out.
 *
 * @throws Error naming the line when another line is damaged or the file has another format.
 */
export async function* readBlobJournal(path: string): AsyncGenerator<unknown> {
  let number = 0
  for await (const line of completeLines(path)) {
    number += 1
    let record: unknown
    try {
      record = parseDocument(line)
    } catch {
      throw new Error(`${path}, line ${number}: this is no JSON; the file is damaged`)
    }
    if (number > 1) yield record
    else if ((record as { format?: unknown } | null)?.format !== header.format) {
      throw new Error(`${path} is no journal of the format ${header.format}`)
    }
  }
}

/** Replaces the journal by one that holds `records` only, in one step, and opens it. */
export async function rewriteBlobJournal(path: string, records: Iterable<object>): Promise<BlobJournal> {
  const draft = `${path}.new`
  const file = await open(draft, "w", 0o600)
  await file.appendFile(`${stringifyDocument(header)}\n`)
  for (const record of records) await file.appendFile(`${stringifyDocument(record)}\n`)
  await file.sync()
  await rename(draft, path)
  return journalOn(file)
}

function journalOn(file: FileHandle): BlobJournal {
  let waiting: string[] = []
  let writing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  // Lines that come while one write is under way go out together in the next.
  const writeWaiting = async () => {
    const lines = waiting.join("")
    waiting = []
    await file.appendFile(lines)
  }
  return {
    append: (record) => {
      const isFirst = waiting.length === 0
      waiting.push(`${stringifyDocument(record)}\n`)
      if (isFirst) writing = writing === undefined ? writeWaiting() : writing.then(writeWaiting)
      return writing ?? Promise.resolve()
    },
    close: () => {
      closing ??= (async () => {
        await writing?.catch(() => {})
        await file.close()
      })()
      return closing
    },
  }
}

async function* completeLines(path: string): AsyncGenerator<string> {
  let rest = ""
  try {
    for await (const chunk of createReadStream(path, "utf8")) {
      const lines = (rest + String(chunk)).split("\n")
      rest = lines.pop() ?? ""
      yield* lines
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
  }
}
