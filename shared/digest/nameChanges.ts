import { ServiceError } from "../errors.ts"
import type { StoredBlob, StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import { readEntryList } from "./collectEntries.ts"
import { type Day, dayOf } from "./digestDay.ts"
import {
  compareEntries,
  type EntryChange,
  formatDigestEntry,
  listEntries,
  parseDigestEntry,
} from "./digestEntry.ts"
import type { Digest } from "./signedDigest.ts"

/** One blob that is not as the digest of its day vouches for it. */
export type ChangedEntry =
  | {
      readonly kind: "entryChanged"
      readonly day: Day
      readonly blob: string
      readonly changes: readonly EntryChange[]
    }
  /** The digest has it, the store has not. */
  | { readonly kind: "entryRemoved"; readonly day: Day; readonly blob: string }
  /** The store has it with a creation time of that day, the digest has not. */
  | { readonly kind: "entryAdded"; readonly day: Day; readonly blob: string }

/** Which days are named, and what could not be read for it. */
export interface NamedChanges {
  readonly changes: readonly ChangedEntry[]
  /** Changes that were found after the limit was reached, and are not named. */
  readonly more: number
  /** Lists that are not what their digest vouches for: the entries of such a day cannot be named. */
  readonly brokenLists: readonly { readonly day: Day; readonly blob: string }[]
  /** Lists that could not be read, with the code why. */
  readonly unreadLists: readonly { readonly day: Day; readonly blob: string; readonly code: string }[]
}

export interface NameChangesOptions {
  readonly catalog: StoreCatalog
  readonly reader: StoreReader
  /** Digests whose entries are not those of the listing. */
  readonly digests: readonly Digest[]
  /** So many changes are named. */
  readonly limit: number
  readonly signal?: AbortSignal
}

/**
 * Holds the listing against what the digests of some days vouch for, side by side in name order, and names every
 * blob that was changed, removed or added. In memory is one list of each day.
 *
 * @throws ServiceError as StoreCatalog does, and ERR_DIGEST_LISTING.
 */
export async function nameChanges(options: NameChangesOptions): Promise<NamedChanges> {
  const changes: ChangedEntry[] = []
  let more = 0
  const report = (change: ChangedEntry) => {
    if (changes.length < options.limit) changes.push(change)
    else more += 1
  }
  const days = await Promise.all(options.digests.map((digest) => openDay(options.reader, digest)))
  const readable = days.filter(({ isBroken }) => !isBroken())
  for await (const blob of listEntries(options.catalog, options.signal ? { signal: options.signal } : {})) {
    for (const day of readable) await day.meet(blob, report)
  }
  for (const day of readable) await day.end(report)
  const brokenLists = days.flatMap(({ brokenLists }) => brokenLists)
  const unreadLists = days.flatMap(({ unreadLists }) => unreadLists)
  // What was named of a day before its broken list was met is no reliable account of it.
  const broken = new Set([...brokenLists, ...unreadLists].map(({ day }) => day))
  return { changes: changes.filter(({ day }) => !broken.has(day)), more, brokenLists, unreadLists }
}

type Report = (change: ChangedEntry) => void

/** One day's entries as its digest has them, walked along with the listing. */
async function openDay(reader: StoreReader, { day, lists }: Digest) {
  const brokenLists: { day: Day; blob: string }[] = []
  const unreadLists: { day: Day; blob: string; code: string }[] = []
  const entries = readEntries()
  let expected = await next()

  async function* readEntries(): AsyncGenerator<{ readonly line: string; readonly name: string }> {
    for (const list of lists) {
      const { blob } = list
      const text = await readEntryList(reader, list).catch((error: unknown) => {
        const code = error instanceof ServiceError ? error.code : "ERR_UNKNOWN"
        unreadLists.push({ day, blob, code })
        return ""
      })
      if (text === undefined) brokenLists.push({ day, blob })
      for (const line of (text ?? "").split(/(?<=\n)/)) {
        const name = nameOf(line)
        if (name !== undefined) yield { line, name }
      }
    }
  }

  async function next() {
    const { value, done } = await entries.next()
    return done ? undefined : value
  }

  return {
    brokenLists,
    unreadLists,
    isBroken: () => brokenLists.length + unreadLists.length > 0,
    meet: async (blob: StoredBlob, report: Report) => {
      while (expected && expected.name < blob.name) {
        report({ kind: "entryRemoved", day, blob: expected.name })
        expected = await next()
      }
      if (expected?.name === blob.name) {
        if (expected.line !== formatDigestEntry(blob)) {
          const was = parseDigestEntry(expected.line)
          const changes = was ? compareEntries(was, blob) : []
          report({ kind: "entryChanged", day, blob: blob.name, changes })
        }
        expected = await next()
      } else if (dayOf(blob.createdAt) === day) {
        report({ kind: "entryAdded", day, blob: blob.name })
      }
    },
    end: async (report: Report) => {
      for (; expected; expected = await next()) {
        report({ kind: "entryRemoved", day, blob: expected.name })
      }
    },
  }
}

/** The name alone: a million lines that are as they were need no more. */
function nameOf(line: string): string | undefined {
  if (line === "") return undefined
  const { name } = JSON.parse(line) as { readonly name?: unknown }
  return typeof name === "string" ? name : undefined
}
