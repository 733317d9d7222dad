import { ServiceError } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { StoreReader } from "../store/storeReader.ts"
import { sha256Of } from "./collectEntries.ts"
import type { TrustedKeys } from "./digestKey.ts"
import type { Day } from "./digestDay.ts"
import { dayOfEntryList, digestPrefix, entryListPrefix, parseDigestName } from "./digestNames.ts"
import { type OpenedDigest, openDigest } from "./signedDigest.ts"

/** A blob under the name of a digest. Whether it is one, opening tells. */
export interface DigestBlob {
  readonly blob: string
  readonly day: Day
  /** When the service got it: so long, what it says has not changed. */
  readonly storedAt: Date
  readonly sizeBytes: number
}

/** More than any digest has: 16 MiB. What is larger is none, and is not read. */
const mostBytes = 16 * 2 ** 20

/** A digest as it lies in the store. */
export type StoredDigest = DigestBlob & {
  /** Of the stored bytes, which the next digest names. */
  readonly sha256: string
  readonly opened: OpenedDigest
}

/** A digest that a trusted key has signed, for this store and its day. */
export type SignedStoredDigest = StoredDigest & {
  readonly opened: Extract<OpenedDigest, { readonly kind: "signed" }>
}

/** Blobs under the names of digests, by day, the first name of a day first. */
export async function listDigests(
  catalog: StoreCatalog,
  options?: { readonly signal?: AbortSignal },
): Promise<ReadonlyMap<Day, readonly DigestBlob[]>> {
  const byDay = new Map<Day, (DigestBlob & { readonly attempt: number })[]>()
  for await (const { name, createdAt, sizeBytes } of catalog.list(digestPrefix, options)) {
    const parsed = parseDigestName(name)
    if (!parsed) continue
    const { day, attempt } = parsed
    byDay.set(day, [...(byDay.get(day) ?? []), { blob: name, day, attempt, storedAt: createdAt, sizeBytes }])
  }
  for (const blobs of byDay.values()) blobs.sort((a, b) => a.attempt - b.attempt)
  return byDay
}

/** Names of the lists of entries, by day. */
export async function listEntryLists(catalog: StoreCatalog): Promise<ReadonlyMap<Day, readonly string[]>> {
  const byDay = new Map<Day, string[]>()
  for await (const { name } of catalog.list(entryListPrefix)) {
    const day = dayOfEntryList(name)
    if (day !== undefined) byDay.set(day, [...(byDay.get(day) ?? []), name])
  }
  return byDay
}

/** What a digest is read and judged with. */
export interface ReadDigestParts {
  /** `https://ACCOUNT…/CONTAINER`. */
  readonly storeName: string
  readonly reader: StoreReader
  readonly keys: TrustedKeys
}

/**
 * Reads one blob and holds it against keys, store and day: a digest that is right elsewhere is wrong here. Throws as
 * StoreReader and TrustedKeys do.
 */
export async function readDigest(parts: ReadDigestParts, blob: DigestBlob): Promise<StoredDigest> {
  if (blob.sizeBytes > mostBytes) return { ...blob, sha256: "", opened: { kind: "malformed" } }
  const bytes = await parts.reader.read(blob.blob)
  const opened = await openDigest(bytes, parts.keys)
  const found = { ...blob, sha256: sha256Of(bytes) }
  if (opened.kind !== "signed") return { ...found, opened }
  const { store, day } = opened.digest
  const isHere = store === parts.storeName && day === blob.day
  return { ...found, opened: isHere ? opened : { kind: "misplaced", store, day } }
}

/** As `readDigest`; a blob that is gone is `undefined`. */
export async function findDigest(
  parts: ReadDigestParts,
  blob: DigestBlob,
): Promise<StoredDigest | undefined> {
  try {
    return await readDigest(parts, blob)
  } catch (error) {
    if (error instanceof ServiceError && error.code === "ERR_STORE_NOT_FOUND") return undefined
    throw error
  }
}
