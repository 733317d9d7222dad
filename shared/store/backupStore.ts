import type { BlobMetadata } from "./ledgerEntry.ts"

/** `alreadyStored`: the name was taken. Nothing was compared; `verify` does that. */
export type PutOutcome = "stored" | "alreadyStored"

/** What the data plane reveals of a container's protection. Days and lock state only the management plane tells. */
export interface StoreProtection {
  readonly hasImmutabilityPolicy: boolean
  readonly hasLegalHold: boolean
  readonly hasVersionLevelImmutability: boolean
}

/** The store as its writer sees it: it can add and nothing else. */
export interface BackupStore {
  /**
   * Stores `body` under `name` unless something is there already. One request carries everything: a crash
   * leaves the whole blob or none. Safe to call again; never overwrites.
   *
   * @param contentType - `application/jose+json` for a sealed record, `application/json` for a gap record.
   * @throws ServiceError ERR_STORE_FORBIDDEN, ERR_STORE_FIREWALL, ERR_STORE_UNAVAILABLE, ERR_STORE_NOT_FOUND,
   * ERR_IDENTITY_UNAVAILABLE; every other failure is ERR_UNKNOWN.
   */
  putIfAbsent(
    name: string,
    body: Uint8Array,
    contentType: string,
    metadata: BlobMetadata,
    options?: { readonly signal?: AbortSignal },
  ): Promise<PutOutcome>

  /** Reads the container's protection flags. Safe to repeat. Throws as `putIfAbsent` does. */
  describeProtection(options?: { readonly signal?: AbortSignal }): Promise<StoreProtection>
}
