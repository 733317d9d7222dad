import type { DeletedObject, Deletion, ObjectVersion, VaultObject } from "./vaultObject.ts"

interface MutableObject<V extends ObjectVersion> extends VaultObject<V> {
  readonly versions: Map<string, V>
  current: V
}

/**
 * One kind of object in one vault. Names are compared without regard to case, as the service does. Holds the
 * data only: whether something is allowed is decided before.
 */
export interface VaultCollection<V extends ObjectVersion> {
  find(name: string): VaultObject<V> | undefined
  findDeleted(name: string): DeletedObject<V> | undefined
  /** Folded names in order, for listing. */
  names(): readonly string[]
  deletedNames(): readonly string[]
  /** Adds a version, which becomes the current one. */
  add(name: string, version: V): void
  /** Replaces the version that has the same id. */
  replace(name: string, version: V): void
  delete(name: string, deletion: Deletion): void
  recover(name: string): void
  purge(name: string): void
  countVersions(): number
}

export function createVaultCollection<V extends ObjectVersion>(): VaultCollection<V> {
  const live = new Map<string, MutableObject<V>>()
  const deleted = new Map<string, MutableObject<V> & Deletion>()
  let sortedLive: readonly string[] | undefined
  let sortedDeleted: readonly string[] | undefined
  const forgetOrder = () => {
    sortedLive = undefined
    sortedDeleted = undefined
  }
  return {
    find: (name) => live.get(foldName(name)),
    findDeleted: (name) => deleted.get(foldName(name)),
    names: () => (sortedLive ??= [...live.keys()].sort()),
    deletedNames: () => (sortedDeleted ??= [...deleted.keys()].sort()),
    add: (name, version) => {
      const known = live.get(foldName(name))
      if (known) {
        known.versions.set(version.version, version)
        known.current = version
        return
      }
      live.set(foldName(name), { name, versions: new Map([[version.version, version]]), current: version })
      forgetOrder()
    },
    replace: (name, version) => {
      const known = live.get(foldName(name))
      if (!known?.versions.has(version.version)) return
      known.versions.set(version.version, version)
      if (known.current.version === version.version) known.current = version
    },
    delete: (name, { deletedAt, purgeAt }) => {
      const known = live.get(foldName(name))
      if (!known) return
      live.delete(foldName(name))
      deleted.set(foldName(name), { ...known, deletedAt, purgeAt })
      forgetOrder()
    },
    recover: (name) => {
      const known = deleted.get(foldName(name))
      if (!known) return
      deleted.delete(foldName(name))
      live.set(foldName(name), { name: known.name, versions: known.versions, current: known.current })
      forgetOrder()
    },
    purge: (name) => {
      deleted.delete(foldName(name))
      forgetOrder()
    },
    countVersions: () => [...live.values()].reduce((sum, { versions }) => sum + versions.size, 0),
  }
}

function foldName(name: string): string {
  return name.toLowerCase()
}
