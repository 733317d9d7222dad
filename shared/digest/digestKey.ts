import type { CryptoKey } from "jose"

/** How digests are signed; which of them, the key's kind decides. */
export const digestAlgorithms = ["ES256", "ES384", "ES512", "PS256"] as const

export type DigestAlgorithm = (typeof digestAlgorithms)[number]

/** The key that signs digests. It lives outside the store that it vouches for. */
export interface DigestSigner {
  /**
   * Which key signs, and how. Safe to repeat.
   *
   * @throws ServiceError ERR_DIGEST_KEY when it cannot sign; ERR_VAULT_… when the vault does not answer or refuses.
   */
  describe(): Promise<{ readonly alg: DigestAlgorithm; readonly kid: string }>
  /**
   * The signature of `input` as JWS has it: for EC keys r and s side by side. Safe to repeat.
   *
   * @throws ServiceError as `describe` does.
   */
  sign(input: Uint8Array, kid: string): Promise<Uint8Array>
}

/** A public key that digests are proved with. */
export interface TrustedKey {
  readonly alg: DigestAlgorithm
  readonly key: CryptoKey
}

/** The keys that are trusted. None of them ever comes from the store. */
export interface TrustedKeys {
  /**
   * The trusted key of that id; `undefined` when there is none. Safe to repeat.
   *
   * @throws ServiceError ERR_DIGEST_KEY, or ERR_VAULT_… when it could not be told.
   */
  find(kid: string): Promise<TrustedKey | undefined>
}

/** Looks in one after the other. */
export function joinTrustedKeys(all: readonly TrustedKeys[]): TrustedKeys {
  return {
    find: async (kid) => {
      for (const keys of all) {
        const found = await keys.find(kid)
        if (found) return found
      }
      return undefined
    },
  }
}
