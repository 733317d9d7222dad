import type { BlobMetadata } from "./ledgerEntry.ts"

/** One blob as the listing shows it. `createdAt` is the service's own clock, in whole seconds. */
export interface StoredBlob {
  readonly name: string
  readonly createdAt: Date
  readonly sizeBytes: number
  readonly metadata: BlobMetadata
}

/** The store as a list, which is the ledger. */
export interface StoreCatalog {
  /**
   * Every blob whose name begins with `prefix`, in name order, page by page. Safe to repeat.
   *
   * @throws ServiceError ERR_STORE_FORBIDDEN, ERR_STORE_FIREWALL, ERR_STORE_UNAVAILABLE, ERR_STORE_NOT_FOUND.
   */
  list(prefix: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<StoredBlob>
}
