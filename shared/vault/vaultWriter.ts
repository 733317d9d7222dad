import type { ObjectVersion } from "../change/objectVersion.ts"
import type { SecretValue } from "../secretValue.ts"

/** Most tags that a version can have (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets). */
export const maxTags = 15

/** What stands under a name, whatever its kind. */
export type NameState =
  | { readonly state: "free" }
  /** Soft-deleted: the name can be recovered or purged, and takes nothing new. */
  | { readonly state: "deleted" }
  | {
      readonly state: "taken"
      /** The newest version. A secret that belongs to a certificate is told as the certificate. */
      readonly current: ObjectVersion
      readonly enabled: boolean
      readonly tags: Readonly<Record<string, string>>
    }

/** A secret version to be made. */
export interface NewSecret {
  readonly value: SecretValue
  readonly contentType?: string
  readonly tags: Readonly<Record<string, string>>
  readonly enabled: boolean
  readonly notBefore?: Date
  readonly expires?: Date
}

/** A certificate version to be made of material that exists; its times are those of the certificate. */
export interface NewCertificate {
  /** A PFX without password in base64, or PEM text with the key as PKCS#8. */
  readonly material: SecretValue
  readonly contentType: "application/x-pkcs12" | "application/x-pem-file"
  readonly tags: Readonly<Record<string, string>>
  readonly enabled: boolean
  /** As a vault describes one, in its own words. */
  readonly policy: Readonly<Record<string, unknown>>
}

/**
 * Makes versions in a vault (`https://host[:port]`). Not safe to repeat: each call makes another version, so look first.
 * Adapters retry nothing, and send no request twice.
 *
 * All throw ServiceError ERR_VAULT_FIREWALL, ERR_VAULT_FORBIDDEN, ERR_VAULT_CHALLENGE, ERR_VAULT_THROTTLED,
 * ERR_VAULT_UNAVAILABLE (then a version may have been made), ERR_VAULT_RESPONSE_INVALID, ERR_IDENTITY_UNAVAILABLE, else
 * ERR_UNKNOWN.
 */
export interface VaultWriter {
  /** What stands under `name`. Makes nothing; safe to repeat. */
  look(vault: string, name: string, options?: { readonly signal?: AbortSignal }): Promise<NameState>

  /**
   * Makes one secret version and tells which.
   *
   * @throws ServiceError also ERR_RESTORE_TARGET_DELETED, and ERR_RESTORE_TARGET_EXISTS when another kind has the name.
   */
  setSecret(
    vault: string,
    name: string,
    secret: NewSecret,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ObjectVersion>

  /**
   * Makes one certificate version and tells which. A policy that the vault does not take, such as one with an issuer it
   * does not know, is left to the vault's own defaults.
   *
   * @throws ServiceError as `setSecret`.
   */
  importCertificate(
    vault: string,
    name: string,
    certificate: NewCertificate,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly object: ObjectVersion; readonly isPolicyKept: boolean }>
}
