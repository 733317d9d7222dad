import type { ObjectKind, ObjectVersion } from "./vaultObject.ts"

type ChangedObjectType = "Secret" | "Certificate" | "Key"

export type ChangeReason = "NewVersionCreated" | "NearExpiry" | "Expired"

/**
 * What an Event Grid event about a vault object says. The event type is `Microsoft.KeyVault.` and `eventType`.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export interface VaultChange {
  readonly eventType: `${ChangedObjectType}${ChangeReason}`
  /** The ARM id of the vault. */
  readonly topic: string
  /** The URL of the object version. */
  readonly id: string
  readonly vaultName: string
  readonly objectType: ChangedObjectType
  readonly objectName: string
  readonly version: string
  /** Seconds since 1970. */
  readonly notBefore: number | undefined
  readonly expires: number | undefined
  /** To the millisecond; `created` in the vault has whole seconds only. */
  readonly changedAt: Date
}

export interface ChangedVault {
  readonly name: string
  readonly url: string
  readonly resourceId: string
}

const objectTypes = { secret: "Secret", certificate: "Certificate", key: "Key" } as const

/** What to tell Event Grid about `version` of the object `name`. */
export function vaultChange(
  vault: ChangedVault,
  kind: ObjectKind,
  reason: ChangeReason,
  name: string,
  { version, attributes }: ObjectVersion,
): VaultChange {
  const objectType = objectTypes[kind]
  return {
    eventType: `${objectType}${reason}`,
    topic: vault.resourceId,
    id: `${vault.url}/${kind}s/${name}/${version}`,
    vaultName: vault.name,
    objectType,
    objectName: name,
    version,
    notBefore: attributes.notBefore,
    expires: attributes.expires,
    changedAt: new Date(),
  }
}
