import { createReadStream, mkdirSync, readFileSync } from "node:fs"
import { open, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import { coveredPrefixes, formatDigestEntry, parseDigestEntry } from "./digestEntry.ts"
import { isCopiedName } from "./digestNames.ts"

/** Format of `copy.json`. */
const copyFormat = "keyvault-digest-copy/1"

const copySchema = z.object({
  format: z.literal(copyFormat),
  store: z.string(),
  madeAt: z.iso.datetime(),
})

const prefixes = ["digest/", ...coveredPrefixes] as const
const writtenAtOnce = 500

/** The listing of a store and its digests in a folder: what a proof needs, where there is no access to the store. */
export interface DigestCopy {
  readonly storeName: string
  /** The proof is about this moment. */
  readonly madeAt: Date
  readonly catalog: StoreCatalog
  readonly reader: StoreReader
}

/**
 * Copies the listing and the digests of a store into `directory`. Nothing of a record's body is in it.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when the folder is there already or cannot be written; else as the store.
 */
export async function saveDigestCopy(
  directory: string,
  from: DigestCopy,
): Promise<{ readonly entries: number; readonly digests: number }> {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (cause) {
    throw new ServiceError("ERR_CONFIG_INVALID", `Cannot make ${directory}; it must be a new folder`, {
      cause,
    })
  }
  const counts = { entries: 0, digests: 0 }
  const listing = await open(join(directory, "listing.jsonl"), "wx", 0o600)
  try {
    let lines: string[] = []
    for (const prefix of prefixes) {
      for await (const blob of from.catalog.list(prefix)) {
        lines.push(formatDigestEntry(blob))
        if (prefix !== "digest/") counts.entries += 1
        else if (isCopiedName(blob.name)) {
          const file = join(directory, blob.name)
          mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
          await writeFile(file, await from.reader.read(blob.name), { flag: "wx", mode: 0o600 })
          counts.digests += 1
        }
        if (lines.length >= writtenAtOnce) await listing.write(lines.splice(0).join(""))
      }
    }
    await listing.write(lines.join(""))
  } finally {
    await listing.close()
  }
  // Last: a folder without it was cut off, and proves nothing.
  const about = { format: copyFormat, store: from.storeName, madeAt: from.madeAt.toISOString() }
  await writeFile(join(directory, "copy.json"), `${JSON.stringify(about)}\n`, { mode: 0o600 })
  return counts
}

/**
 * Opens such a folder.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when it is none. The listing throws the same for a line that is no entry.
 */
export function openDigestCopy(directory: string): DigestCopy {
  const { store, madeAt } = readAbout(directory)
  return {
    storeName: store,
    madeAt: new Date(madeAt),
    catalog: {
      async *list(prefix) {
        let number = 0
        for await (const line of linesOf(join(directory, "listing.jsonl"))) {
          number += 1
          const blob = parseDigestEntry(line)
          if (!blob) throw invalid(`Line ${number} of ${join(directory, "listing.jsonl")} is no entry`)
          if (blob.name.startsWith(prefix)) yield blob
        }
      },
    },
    reader: {
      read: async (name) => {
        const absent = (cause?: unknown) =>
          new ServiceError("ERR_STORE_NOT_FOUND", "There is no such file", { details: { blob: name }, cause })
        if (!isCopiedName(name)) throw absent()
        return readFile(join(directory, name)).catch((cause: unknown) => {
          throw absent(cause)
        })
      },
    },
  }
}

/** Lines end with a line feed alone: metadata may hold whatever else ends a line somewhere. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ""
  for await (const chunk of createReadStream(file, "utf8")) {
    const lines = `${rest}${String(chunk)}`.split("\n")
    rest = lines.pop() ?? ""
    yield* lines
  }
  if (rest !== "") yield rest
}

function readAbout(directory: string): z.infer<typeof copySchema> {
  try {
    return copySchema.parse(JSON.parse(readFileSync(join(directory, "copy.json"), "utf8")))
  } catch (cause) {
    throw invalid(`${directory} is no whole copy: it has no copy.json of format ${copyFormat}`, cause)
  }
}

function invalid(message: string, cause?: unknown): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message, cause === undefined ? {} : { cause })
}
