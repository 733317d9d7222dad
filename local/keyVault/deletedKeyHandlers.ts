import { type KeyFactsOfVersion, keyBundle, keyItem } from "./keyBundle.ts"
import { deletionFrom, nowSeconds } from "./objectAttributes.ts"
import { findKey, managedByVault, pickDeleted } from "./objectLookup.ts"
import { pageOf } from "./paging.ts"
import { deletionBody } from "./secretBundle.ts"
import type { DeletedObject } from "./vaultObject.ts"
import type { VaultAnswer, VaultContext, VaultRequest } from "./vaultRequest.ts"

export function deleteKey(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  if (findKey(vault.state, name).isManaged) throw managedByVault("key", "delete")
  vault.commit({ op: "delete", kind: "key", name, ...deletionFrom(nowSeconds()) })
  return getDeletedKey(request)
}

export function getDeletedKey({ vault, name }: VaultRequest): VaultAnswer {
  const { deleted, isManaged } = findDeletedKey(vault, name)
  return {
    status: 200,
    body: {
      ...keyBundle(vault, deleted.name, deleted.current, isManaged),
      ...deletionBody(vault, "keys", deleted.name, deleted),
    },
  }
}

export function listDeletedKeys(request: VaultRequest): VaultAnswer {
  const { vault } = request
  const { keys, certificates } = vault.state
  return pageOf(request, "/deletedkeys", [keys.deletedNames(), certificates.deletedNames()], (key) => {
    const { deleted, isManaged } = findDeletedKey(vault, key)
    return {
      ...keyItem(vault, deleted.name, deleted.current, { isManaged, withVersion: false }),
      ...deletionBody(vault, "keys", deleted.name, deleted),
    }
  })
}

export function recoverKey({ vault, name }: VaultRequest): VaultAnswer {
  const deleted = pickDeleted("key", vault.state.keys.findDeleted(name), name)
  vault.commit({ op: "recover", kind: "key", name })
  return { status: 200, body: keyBundle(vault, deleted.name, deleted.current, false) }
}

/** What was wrapped with the key cannot be opened ever again. */
export function purgeKey({ vault, name }: VaultRequest): VaultAnswer {
  pickDeleted("key", vault.state.keys.findDeleted(name), name)
  vault.commit({ op: "purge", kind: "key", name })
  return { status: 204 }
}

function findDeletedKey(
  { state }: VaultContext,
  name: string,
): { deleted: DeletedObject<KeyFactsOfVersion>; isManaged: boolean } {
  const own = state.keys.findDeleted(name)
  if (own) return { deleted: own, isManaged: false }
  return { deleted: pickDeleted("key", state.certificates.findDeleted(name), name), isManaged: true }
}
