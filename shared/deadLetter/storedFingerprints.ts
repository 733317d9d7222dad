import { createHash } from "node:crypto"
import type { StoreCatalog } from "../store/storeCatalog.ts"

/** Which names a part of the store may hold, in eight bytes each. */
export interface StoredFingerprints {
  /** False when there was no blob of this name; true when there was, or very rarely when there was not. */
  mayHave(name: string): boolean
}

const initialCapacity = 4096

/**
 * Lists everything below `prefix` once, 5,000 names a call. A name that is stored later is not known: whoever asks must
 * stand a `false` that is out of date.
 *
 * @throws ServiceError as StoreCatalog does.
 */
export async function readFingerprints(
  catalog: StoreCatalog,
  prefix: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<StoredFingerprints> {
  let prints = new Float64Array(initialCapacity)
  let length = 0
  for await (const { name } of catalog.list(prefix, options)) {
    if (length === prints.length) {
      const smaller = prints
      prints = new Float64Array(length * 2)
      prints.set(smaller)
    }
    prints[length] = fingerprint(name)
    length += 1
  }
  const sorted = prints.subarray(0, length).sort()
  return { mayHave: (name) => includes(sorted, fingerprint(name)) }
}

/** 48 bits of a hash: a whole number that a double holds exactly. */
function fingerprint(name: string): number {
  return createHash("sha1").update(name).digest().readUIntBE(0, 6)
}

function includes(sorted: Float64Array, wanted: number): boolean {
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = sorted[middle] ?? 0
    if (found === wanted) return true
    if (found < wanted) low = middle + 1
    else high = middle - 1
  }
  return false
}
