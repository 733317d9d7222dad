import { createVaultCollection, type VaultCollection } from "./vaultCollection.ts"
import type {
  CertificatePolicy,
  CertificateVersion,
  Deletion,
  KeyVersion,
  ObjectKind,
  ObjectVersion,
  SecretVersion,
} from "./vaultObject.ts"

/** One thing that happened to a vault. Applying the same entries in order gives the same vault. */
export type VaultEntry =
  | { readonly op: "addSecret"; readonly name: string; readonly version: SecretVersion }
  | { readonly op: "addKey"; readonly name: string; readonly version: KeyVersion }
  | {
      readonly op: "addCertificate"
      readonly name: string
      readonly version: CertificateVersion
      readonly policy: CertificatePolicy
    }
  | { readonly op: "replaceSecret"; readonly name: string; readonly version: SecretVersion }
  | { readonly op: "replaceKey"; readonly name: string; readonly version: KeyVersion }
  | { readonly op: "replaceCertificate"; readonly name: string; readonly version: CertificateVersion }
  | { readonly op: "setPolicy"; readonly name: string; readonly policy: CertificatePolicy }
  | ({ readonly op: "delete"; readonly kind: ObjectKind; readonly name: string } & Deletion)
  | { readonly op: "recover" | "purge"; readonly kind: ObjectKind; readonly name: string }

/** The content of one vault. Change it through `applyEntry` only. */
export interface VaultState {
  readonly secrets: VaultCollection<SecretVersion>
  readonly certificates: VaultCollection<CertificateVersion>
  readonly keys: VaultCollection<KeyVersion>
  /** By folded name; also of deleted certificates, until they are purged. */
  readonly policies: Map<string, CertificatePolicy>
}

export function createVaultState(): VaultState {
  return {
    secrets: createVaultCollection(),
    certificates: createVaultCollection(),
    keys: createVaultCollection(),
    policies: new Map(),
  }
}

/** The collection of one kind, for what does not depend on the kind. */
export function collectionOf(state: VaultState, kind: ObjectKind): VaultCollection<ObjectVersion> {
  return { secret: state.secrets, certificate: state.certificates, key: state.keys }[kind]
}

export function applyEntry(state: VaultState, entry: VaultEntry): void {
  switch (entry.op) {
    case "addSecret":
      return state.secrets.add(entry.name, entry.version)
    case "addKey":
      return state.keys.add(entry.name, entry.version)
    case "addCertificate":
      state.policies.set(entry.name.toLowerCase(), entry.policy)
      return state.certificates.add(entry.name, entry.version)
    case "replaceSecret":
      return state.secrets.replace(entry.name, entry.version)
    case "replaceKey":
      return state.keys.replace(entry.name, entry.version)
    case "replaceCertificate":
      return state.certificates.replace(entry.name, entry.version)
    case "setPolicy":
      state.policies.set(entry.name.toLowerCase(), entry.policy)
      return
    case "delete":
      return collectionOf(state, entry.kind).delete(entry.name, entry)
    case "recover":
      return collectionOf(state, entry.kind).recover(entry.name)
    case "purge":
      if (entry.kind === "certificate") state.policies.delete(entry.name.toLowerCase())
      return collectionOf(state, entry.kind).purge(entry.name)
  }
}
