/** The three collections of a vault. */
export const objectKinds = ["secret", "certificate", "key"] as const

export type ObjectKind = (typeof objectKinds)[number]

/** Times in whole seconds since 1970, as the service keeps them. */
export interface Attributes {
  readonly enabled: boolean
  readonly created: number
  readonly updated: number
  readonly notBefore?: number | undefined
  readonly expires?: number | undefined
}

type Tags = Readonly<Record<string, string>>

/** What one version of any kind of object has. Versions are never changed in place, but replaced. */
export interface ObjectVersion {
  /** 32 lower-case hexadecimal digits. */
  readonly version: string
  readonly attributes: Attributes
  readonly tags?: Tags | undefined
}

export interface SecretVersion extends ObjectVersion {
  readonly value: string
  readonly contentType?: string | undefined
}

export type CertificateContentType = "application/x-pkcs12" | "application/x-pem-file"

export interface CertificateVersion extends ObjectVersion {
  /** Base64 of DER; the first one belongs to the private key. */
  readonly chain: readonly [string, ...string[]]
  /** PKCS#8 PEM. The vault always has it; only `exportable` ones hand it out. */
  readonly privateKey: string
  readonly contentType: CertificateContentType
  readonly exportable: boolean
}

export interface KeyVersion extends ObjectVersion {
  /** PKCS#8 PEM; never handed out. */
  readonly privateKey: string
  readonly operations: readonly string[]
}

/** When an object was deleted, and when the service would remove it for good; seconds since 1970. */
export interface Deletion {
  readonly deletedAt: number
  readonly purgeAt: number
}

/** All versions of one object. `name` is spelled as when it was first used. */
export interface VaultObject<V extends ObjectVersion> {
  readonly name: string
  /** In the order they were created. */
  readonly versions: ReadonlyMap<string, V>
  readonly current: V
}

export type DeletedObject<V extends ObjectVersion> = VaultObject<V> & Deletion

/** The policy of a certificate as the REST interface spells it. */
export type CertificatePolicy = Readonly<Record<string, unknown>>
