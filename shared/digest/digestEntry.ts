import { z } from "zod"
import { ServiceError } from "../errors.ts"
import type { BlobMetadata } from "../store/ledgerEntry.ts"
import type { StoreCatalog, StoredBlob } from "../store/storeCatalog.ts"

/** What digests cover: records and gap records. In name order, so that one listing after the other is in it, too. */
export const coveredPrefixes = ["gaps/", "v1/"] as const

/**
 * Every record and gap record, in name order.
 *
 * @throws ServiceError ERR_DIGEST_LISTING when the listing comes in another order; else as StoreCatalog does.
 */
export async function* listEntries(
  catalog: StoreCatalog,
  options?: { readonly signal?: AbortSignal },
): AsyncGenerator<StoredBlob> {
  let previous = ""
  for (const prefix of coveredPrefixes) {
    for await (const blob of catalog.list(prefix, options)) {
      if (blob.name <= previous) {
        throw new ServiceError(
          "ERR_DIGEST_LISTING",
          "The listing of the store is not in the order of names",
          {
            details: { prefix },
          },
        )
      }
      previous = blob.name
      yield blob
    }
  }
}

/**
 * One blob of the listing as the digest covers it: JSON by RFC 8785, that is without blanks and with every member in
 * the order of its name, and a line feed. Two listings of an untouched blob give the same bytes. Format:
 * `docs/formats.md`.
 */
export function formatDigestEntry({ name, createdAt, sizeBytes, metadata }: StoredBlob): string {
  // oxlint-disable-next-line unicorn/no-array-sort -- a fresh array, and by code unit as the format demands.
  const sorted = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ createdAt: createdAt.toISOString(), metadata: sorted, name, size: sizeBytes })}\n`
}

const entrySchema = z.object({
  createdAt: z.iso.datetime(),
  metadata: z.record(z.string(), z.string()),
  name: z.string(),
  size: z.int().min(0),
})

/** Reads one line back. `undefined` for what is none. */
export function parseDigestEntry(line: string): StoredBlob | undefined {
  try {
    const { createdAt, metadata, name, size } = entrySchema.parse(JSON.parse(line))
    return { name, createdAt: new Date(createdAt), sizeBytes: size, metadata }
  } catch {
    return undefined
  }
}

/** One thing that is not as it was; `was` or `is` is absent where it was not there, or is not there any more. */
export interface EntryChange {
  /** `size`, `createdAt` or `metadata.NAME`. */
  readonly field: string
  readonly was?: string
  readonly is?: string
}

/** What differs between an entry as it was and the same blob as it is. */
export function compareEntries(was: StoredBlob, is: StoredBlob): EntryChange[] {
  const then = flatten(was)
  const now = flatten(is)
  return [...new Set([...Object.keys(then), ...Object.keys(now)])].sort().flatMap((field) => {
    if (then[field] === now[field]) return []
    return [
      {
        field,
        ...(then[field] === undefined ? {} : { was: then[field] }),
        ...(now[field] === undefined ? {} : { is: now[field] }),
      },
    ]
  })
}

function flatten({ createdAt, sizeBytes, metadata }: StoredBlob): BlobMetadata {
  return {
    createdAt: createdAt.toISOString(),
    size: String(sizeBytes),
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value])),
  }
}
