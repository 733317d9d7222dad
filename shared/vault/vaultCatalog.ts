import type { ObjectVersion } from "../change/objectVersion.ts"
import type { VersionAttributes } from "./vaultReader.ts"

/** One version as the vault lists it: everything but the value. */
export interface ListedVersion {
  readonly object: ObjectVersion
  readonly attributes: VersionAttributes
  readonly managed: boolean
}

/** Lists what a vault holds. Never used in the event path. */
export interface VaultCatalog {
  /**
   * Every version of every secret in `vault` (`https://host[:port]`), in no promised order, page by page.
   * Safe to repeat.
   *
   * @throws ServiceError as VaultReader does, for the failing page; what was yielded before stays valid, and
   * an incomplete scan proves nothing.
   */
  listSecretVersions(vault: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<ListedVersion>

  /** Every version of every certificate in `vault`; otherwise as `listSecretVersions`. */
  listCertificateVersions(
    vault: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<ListedVersion>
}
