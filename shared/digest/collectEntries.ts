import { createHash, randomBytes } from "node:crypto"
import { promisify } from "node:util"
import { gunzip, gzip } from "node:zlib"
import { ServiceError } from "../errors.ts"
import type { BackupStore } from "../store/backupStore.ts"
import type { StoreReader } from "../store/storeReader.ts"
import { formatEntryListName } from "./digestNames.ts"
import type { Day } from "./digestDay.ts"
import type { Digest } from "./signedDigest.ts"

/** One list holds up to so much text: a reader has a whole one in memory. */
export const listSizeBytes = 8 * 1024 * 1024

/** All lists that are not written yet hold up to so much text, however many days are under way. */
const pendingBytes = 32 * 1024 * 1024

export interface CollectEntriesOptions {
  readonly store: Pick<BackupStore, "putIfAbsent">
  readonly reader: StoreReader
  /** Default 32 MiB. */
  readonly pendingBytes?: number
  /** Default 8 MiB. */
  readonly listSizeBytes?: number
  readonly signal?: AbortSignal
}

/** What a day has, as its digest says it. */
export type DayEntries = Pick<Digest, "entries" | "lists">

/** Takes the entries of many days out of one listing, and writes the lists of each as they fill. */
export interface EntryCollector {
  /** Takes one line, in name order within its day. @throws ServiceError as BackupStore does, when a list is written. */
  add(day: Day, line: string): Promise<void>
  /** Days that have entries. */
  readonly days: Iterable<Day>
  /** Writes what is left of a day. Days without entries have none, and no lists. */
  finish(day: Day): Promise<DayEntries>
}

interface OpenDay {
  readonly hash: ReturnType<typeof createHash>
  readonly lists: Digest["lists"]
  count: number
  lines: string[]
  sizeBytes: number
}

/** A collector that holds 32 MiB of lines at most. */
export function createEntryCollector(options: CollectEntriesOptions): EntryCollector {
  const { pendingBytes: mostPending = pendingBytes, listSizeBytes: mostInList = listSizeBytes } = options
  const open = new Map<Day, OpenDay>()
  let pending = 0
  const write = async (day: Day, of: OpenDay) => {
    if (of.lines.length === 0) return
    const { lines, sizeBytes } = of
    of.lines = []
    of.sizeBytes = 0
    pending -= sizeBytes
    of.lists.push(await writeList(day, lines, options))
  }
  return {
    days: { [Symbol.iterator]: () => open.keys() },
    add: async (day, line) => {
      const of = open.get(day) ?? { hash: createHash("sha256"), lists: [], count: 0, lines: [], sizeBytes: 0 }
      open.set(day, of)
      const sizeBytes = Buffer.byteLength(line)
      if (of.sizeBytes + sizeBytes > mostInList) await write(day, of)
      of.hash.update(line)
      of.count += 1
      of.lines.push(line)
      of.sizeBytes += sizeBytes
      pending += sizeBytes
      if (pending > mostPending) await write(...largest(open))
    },
    finish: async (day) => {
      const of = open.get(day)
      if (of) await write(day, of)
      open.delete(day)
      return {
        entries: { count: of?.count ?? 0, sha256: (of?.hash ?? createHash("sha256")).digest("hex") },
        lists: of?.lists ?? [],
      }
    },
  }
}

function largest(open: ReadonlyMap<Day, OpenDay>): [Day, OpenDay] {
  let found: [Day, OpenDay] | undefined
  for (const entry of open) if (!found || entry[1].sizeBytes > found[1].sizeBytes) found = entry
  if (!found) throw new TypeError("No day is open")
  return found
}

async function writeList(
  day: Day,
  lines: readonly string[],
  { store, reader, signal }: CollectEntriesOptions,
): Promise<Digest["lists"][number]> {
  const text = Buffer.from(lines.join(""))
  const sha256 = sha256Of(text)
  const body = await promisify(gzip)(text)
  const metadata = { format: "keyvault-digest-entries/1", sha256: sha256Of(body) }
  const list = { count: lines.length, sizeBytes: text.length, sha256 }
  const options = signal ? { signal } : {}
  const put = (blob: string) => store.putIfAbsent(blob, body, "application/gzip", metadata, options)
  const blob = formatEntryListName(day, sha256)
  if ((await put(blob)) === "stored" || (await isList(reader, { ...list, blob }))) return { blob, ...list }
  // Somebody who knows what the list holds has put something else under its name.
  const salted = formatEntryListName(day, sha256, randomBytes(8).toString("hex"))
  await put(salted)
  return { blob: salted, ...list }
}

async function isList(reader: StoreReader, list: Digest["lists"][number]): Promise<boolean> {
  return (await readEntryList(reader, list)) !== undefined
}

/**
 * The text of a list, to the byte as its digest vouches for it; `undefined` when it is not there or is anything else.
 *
 * @throws ServiceError as StoreReader does, but for ERR_STORE_NOT_FOUND.
 */
export async function readEntryList(
  reader: StoreReader,
  { blob, sizeBytes, sha256 }: Omit<Digest["lists"][number], "count">,
): Promise<string | undefined> {
  try {
    const packed = await reader.read(blob)
    // No more is unpacked than there may be.
    const text = await promisify(gunzip)(packed, { maxOutputLength: Math.max(1, sizeBytes) })
    return sha256Of(text) === sha256 ? text.toString("utf8") : undefined
  } catch (error) {
    if (error instanceof ServiceError && error.code !== "ERR_STORE_NOT_FOUND") throw error
    return undefined
  }
}

/** Does the blob hold what its name says, so that a digest named it once? Throws as `readEntryList`. */
export async function isEntryList(reader: StoreReader, blob: string): Promise<boolean> {
  const sha256 = /\/([0-9a-f]{64})[^/]*$/.exec(blob)?.[1] ?? ""
  return (await readEntryList(reader, { blob, sizeBytes: listSizeBytes, sha256 })) !== undefined
}

/** SHA-256 in hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
