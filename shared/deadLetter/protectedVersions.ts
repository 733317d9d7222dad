import type { ObjectKind, ObjectVersion } from "../change/objectVersion.ts"
import { formatRecordName, recordPrefixOfVault } from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { readFingerprints, type StoredFingerprints } from "./storedFingerprints.ts"

/** Tells which versions the store has. */
export interface ProtectedVersions {
  /**
   * Looks for the records of these versions, each of which may be kept as a secret or as a certificate. Safe to repeat.
   *
   * @returns whether the record of one of them was there. True is certain; a version that was stored only lately may be
   * told as not there, and sending it again changes nothing.
   * @throws ServiceError as StoreCatalog does.
   */
  look(
    objects: readonly ObjectVersion[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<(object: ObjectVersion) => boolean>
}

interface LookOptions {
  readonly signal?: AbortSignal
}

const looksAtOnce = 32
/** After so many versions of one vault it costs less to list the vault's records once. */
const defaultListAfter = 100

/**
 * Asks the store's listing for exactly one name at a time; when there are many names of one vault, once for all of its
 * names, and then only for those that seem to be there. Memory: eight bytes for each record of such a vault.
 */
export function createProtectedVersions(
  catalog: StoreCatalog,
  { listAfter = defaultListAfter }: { readonly listAfter?: number } = {},
): ProtectedVersions {
  const asked = new Map<string, number>()
  const listed = new Map<string, Promise<StoredFingerprints>>()

  async function fingerprintsOf(host: string, options: LookOptions): Promise<StoredFingerprints | undefined> {
    const count = (asked.get(host) ?? 0) + 1
    asked.set(host, count)
    if (count <= listAfter) return undefined
    const reading = listed.get(host) ?? readFingerprints(catalog, recordPrefixOfVault(host), options)
    listed.set(host, reading)
    try {
      return await reading
    } catch (error) {
      listed.delete(host)
      throw error
    }
  }

  async function isListed(name: string, options: LookOptions): Promise<boolean> {
    for await (const blob of catalog.list(name, options)) if (blob.name === name) return true
    return false
  }

  async function isStored(object: ObjectVersion, options: LookOptions): Promise<boolean> {
    const fingerprints = await fingerprintsOf(object.host, options)
    const other: ObjectKind = object.kind === "secret" ? "certificate" : "secret"
    for (const kind of [object.kind, other]) {
      const name = formatRecordName({ ...object, kind })
      if (fingerprints && !fingerprints.mayHave(name)) continue
      if (await isListed(name, options)) return true
    }
    return false
  }

  return {
    look: async (objects, options = {}) => {
      const waiting = [...new Map(objects.map((object) => [versionKey(object), object]))]
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
