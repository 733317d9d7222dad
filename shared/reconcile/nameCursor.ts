import { ServiceError } from "../errors.ts"
import { parseStoreEntryName, type StoreEntryName } from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"

/** A walk over the records, or the gap records, of one vault and kind, name by name, in a listing's one pass. */
export interface NameCursor {
  /** The name that comes next; `undefined` at the end. */
  peek(): Promise<string | undefined>
  /** Passes over all names before `name`, and takes what there is of it. */
  take(name: string): Promise<readonly StoreEntryName[]>
  close(): Promise<void>
}

/** Is `one` before `other` where a listing orders blob names, in which a slash follows? A hyphen is before a slash. */
export function isNameBefore(one: string, other: string): boolean {
  return `${one}/` < `${other}/`
}

/** The order of names in a listing, for `sort`. */
export function byName(one: string, other: string): number {
  return isNameBefore(one, other) ? -1 : Number(one !== other)
}

/**
 * A cursor over everything below `prefix`, which ends with the collection. Holds what there is of one name.
 *
 * Its methods throw ServiceError as StoreCatalog does, and ERR_UNKNOWN when the listing is not in name order: then what
 * was passed over could be wrong.
 */
export function createNameCursor(
  catalog: StoreCatalog,
  prefix: string,
  options: { readonly signal?: AbortSignal } = {},
): NameCursor {
  const blobs = catalog.list(prefix, options)[Symbol.asyncIterator]()
  let next: StoreEntryName | undefined
  let isAtEnd = false

  async function advance(): Promise<void> {
    const before = next?.object.name
    for (;;) {
      const { value, done } = await blobs.next()
      if (done) {
        next = undefined
        isAtEnd = true
        return
      }
      next = parseStoreEntryName(value.name)
      if (next) break
    }
    if (before !== undefined && isNameBefore(next.object.name, before)) {
      throw new ServiceError("ERR_UNKNOWN", "The store does not list its blobs in the order of their names", {
        details: { prefix },
      })
    }
  }

  async function peek(): Promise<string | undefined> {
    if (!next && !isAtEnd) await advance()
    return next?.object.name
  }

  return {
    peek,
    take: async (name) => {
      const taken: StoreEntryName[] = []
      await peek()
      while (next && !isNameBefore(name, next.object.name)) {
        if (next.object.name === name) taken.push(next)
        await advance()
      }
      return taken
    },
    close: async () => {
      await blobs.return?.()
    },
  }
}
