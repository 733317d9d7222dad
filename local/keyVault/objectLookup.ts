import { conflict, VaultError } from "./vaultError.ts"
import {
  type CertificateVersion,
  type DeletedObject,
  type KeyVersion,
  type ObjectKind,
  objectKinds,
  type ObjectVersion,
  type SecretVersion,
  type VaultObject,
} from "./vaultObject.ts"
import { collectionOf, type VaultState } from "./vaultState.ts"

const titles = { secret: "Secret", certificate: "Certificate", key: "Key" } as const

/** A secret of its own, or the secret that a certificate of the same name stands behind. */
export type SecretSource =
  | { readonly isManaged: false; readonly object: VaultObject<SecretVersion> }
  | { readonly isManaged: true; readonly object: VaultObject<CertificateVersion> }

/** @throws VaultError 404 SecretNotFound. */
export function findSecret(state: VaultState, name: string, version = ""): SecretSource {
  const object = state.secrets.find(name)
  if (object) return { isManaged: false, object }
  const certificate = state.certificates.find(name)
  if (certificate) return { isManaged: true, object: certificate }
  throw notFound("secret", name, version)
}

/** A key of its own, or the key that a certificate of the same name stands for. */
export type KeySource =
  | { readonly isManaged: false; readonly object: VaultObject<KeyVersion> }
  | { readonly isManaged: true; readonly object: VaultObject<CertificateVersion> }

/** @throws VaultError 404 KeyNotFound. */
export function findKey(state: VaultState, name: string, version = ""): KeySource {
  const object = state.keys.find(name)
  if (object) return { isManaged: false, object }
  const certificate = state.certificates.find(name)
  if (certificate) return { isManaged: true, object: certificate }
  throw notFound("key", name, version)
}

/** @throws VaultError 404 `<Kind>NotFound`, the same for an unknown name and an unknown version. */
export function pickVersion<V extends ObjectVersion>(
  kind: ObjectKind,
  object: VaultObject<V> | undefined,
  name: string,
  version: string,
): V {
  const found = version === "" ? object?.current : object?.versions.get(version)
  if (found) return found
  throw notFound(kind, name, version)
}

/** @throws VaultError 404 `<Kind>NotFound`. */
export function pickDeleted<V extends ObjectVersion>(
  kind: ObjectKind,
  object: DeletedObject<V> | undefined,
  name: string,
): DeletedObject<V> {
  if (object) return object
  throw new VaultError(404, `${titles[kind]}NotFound`, `Deleted ${titles[kind]} not found: ${name}`)
}

/**
 * Refuses a name that a new object may not take: one that is soft-deleted, as itself or as the certificate
 * behind it, and one that another kind of object holds.
 *
 * @throws VaultError 409 ObjectIsDeletedButRecoverable, 403 SecretManagedByKeyVault, 409 ConflictError.
 */
export function requireFreeName(state: VaultState, kind: ObjectKind, name: string): void {
  const related = kind === "certificate" ? objectKinds : ([kind, "certificate"] as const)
  for (const other of related) {
    if (collectionOf(state, other).findDeleted(name)) {
      const message =
        `${titles[kind]} ${name} is currently in a deleted but recoverable state, and its name cannot be ` +
        "reused; in this state, the object can only be recovered or purged."
      throw conflict("ObjectIsDeletedButRecoverable", message)
    }
    if (other === kind || !collectionOf(state, other).find(name)) continue
    if (other === "certificate") throw managedByVault(kind, "set")
    throw conflict("ConflictError", `A ${other} named ${name} exists already.`)
  }
}

/** The refusal of a change to a secret or key that belongs to a certificate. */
export function managedByVault(kind: ObjectKind, operation: string): VaultError {
  const message = `Operation "${operation}" is not allowed on this ${kind}, since it is associated with a certificate.`
  return new VaultError(403, "Forbidden", message, { innerCode: `${titles[kind]}ManagedByKeyVault` })
}

function notFound(kind: ObjectKind, name: string, version: string): VaultError {
  const id = version === "" ? name : `${name}/${version}`
  const message =
    `A ${kind} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${kind} you ` +
    "may be able to recover it using the correct recovery command. For help resolving this issue, please see " +
    "https://go.microsoft.com/fwlink/?linkid=2125182"
  return new VaultError(404, `${titles[kind]}NotFound`, message)
}
