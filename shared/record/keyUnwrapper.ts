/** A private key that opens records and never leaves the vault it is in. */
export interface KeyUnwrapper {
  /** The full key URL with version, as it stands among a record's recipients. */
  readonly kid: string

  /**
   * The content key that was wrapped with RSA-OAEP-256 for this key. Safe to repeat; retries nothing itself.
   *
   * @throws ServiceError ERR_SEAL_INTEGRITY when it was wrapped for another key or is damaged; ERR_SEAL_NO_KEY when
   * the key is disabled, deleted or not meant for this; ERR_VAULT_FORBIDDEN, ERR_VAULT_FIREWALL, ERR_VAULT_CHALLENGE,
   * ERR_VAULT_THROTTLED, ERR_VAULT_UNAVAILABLE, ERR_IDENTITY_UNAVAILABLE, else ERR_UNKNOWN.
   */
  unwrap(wrappedKey: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>
}
