import type { ObjectKind, ObjectVersion } from "../change/objectVersion.ts"
import { formatRecordName } from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"

/** Tells which versions the store has. */
export interface ProtectedVersions {
  /**
   * Looks for the records of these versions, each of which may be kept as a secret or as a certificate. Safe to repeat.
   *
   * @returns whether the record of one of them was there.
   * @throws ServiceError as StoreCatalog does.
   */
  look(
    objects: readonly ObjectVersion[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<(object: ObjectVersion) => boolean>
}

const looksAtOnce = 32

/** Asks the store's listing for exactly one name at a time, so that no memory grows with the store. */
export function createProtectedVersions(catalog: StoreCatalog): ProtectedVersions {
  const isListed = async (name: string, options: { readonly signal?: AbortSignal }) => {
    for await (const blob of catalog.list(name, options)) if (blob.name === name) return true
    return false
  }
  const isStored = async (object: ObjectVersion, options: { readonly signal?: AbortSignal }) => {
    const other: ObjectKind = object.kind === "secret" ? "certificate" : "secret"
    return (
      (await isListed(formatRecordName(object), options)) ||
      (await isListed(formatRecordName({ ...object, kind: other }), options))
    )
  }
  return {
    look: async (objects, options = {}) => {
      const wanted = new Map(objects.map((object) => [versionKey(object), object]))
      const waiting = [...wanted]
      const found = new Set<string>()
      const work = async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const [key, object] = next
          if (await isStored(object, options)) found.add(key)
        }
      }
      await Promise.all(Array.from({ length: Math.min(looksAtOnce, waiting.length) }, work))
      return (object) => found.has(versionKey(object))
    },
  }
}

/** Secret and certificate of one version share name and version, and one record. */
function versionKey({ host, name, version }: ObjectVersion): string {
  return `${host}/${name}/${version}`
}
