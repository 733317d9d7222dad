/** The store as its reader sees it. Only people who verify or restore have this right. */
export interface StoreReader {
  /**
   * The bytes of one blob. Safe to repeat.
   *
   * @throws ServiceError ERR_STORE_NOT_FOUND when there is no such blob; ERR_STORE_FORBIDDEN,
   * ERR_STORE_FIREWALL, ERR_STORE_UNAVAILABLE.
   */
  read(name: string, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>
}
