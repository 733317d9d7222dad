import type { ObjectVersion } from "../change/objectVersion.ts"
import type { SecretValue } from "../secretValue.ts"

/** Attributes of one version. Times have the vault's precision: whole seconds. */
export interface VersionAttributes {
  readonly enabled: boolean
  readonly created?: Date
  readonly updated?: Date
  readonly notBefore?: Date
  readonly expires?: Date
  readonly recoveryLevel?: string
  readonly recoverableDays?: number
}

/** What the vault answered for one secret version. */
export interface SecretReading {
  /** The id as the vault spells it. */
  readonly id: string
  /** Absent when the answer had no `value` field; an empty value is a value. */
  readonly value?: SecretValue
  readonly contentType?: string
  readonly tags: Readonly<Record<string, string>>
  readonly attributes: VersionAttributes
  /** True for the secret behind a certificate. */
  readonly managed: boolean
}

/** What the vault answered for one certificate version: its public part. The private part is the secret at `secretId`. */
export interface CertificateReading {
  /** The id as the vault spells it. */
  readonly id: string
  /** URL of the key behind it. */
  readonly keyId?: string
  /** URL of the secret that holds chain and private key. */
  readonly secretId: string
  /** DER of the leaf. */
  readonly cer: Uint8Array
  /** The policy as the vault sent it. */
  readonly policy?: Readonly<Record<string, unknown>>
  readonly tags: Readonly<Record<string, string>>
  readonly attributes: VersionAttributes
}

/** Reads exactly one version, never a list and never "the latest". */
export interface VaultReader {
  /**
   * One GET of exactly this secret version. Safe to repeat; retries nothing itself.
   *
   * @throws ServiceError ERR_VAULT_VERSION_DISABLED, ERR_VAULT_VERSION_ABSENT, ERR_VAULT_RESPONSE_INVALID (the
   * answer is another object, or no object), ERR_VAULT_FIREWALL, ERR_VAULT_FORBIDDEN, ERR_VAULT_THROTTLED,
   * ERR_VAULT_UNAVAILABLE, ERR_IDENTITY_UNAVAILABLE, else ERR_UNKNOWN.
   */
  readSecret(object: ObjectVersion, options?: { readonly signal?: AbortSignal }): Promise<SecretReading>

  /** One GET of exactly this certificate version. Safe to repeat; throws as `readSecret` does. */
  readCertificate(
    object: ObjectVersion,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CertificateReading>
}
