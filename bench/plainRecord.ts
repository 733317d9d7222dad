import { randomUUID } from "node:crypto"
import type { ObjectVersion } from "../shared/change/objectVersion.ts"
import { recordFormat } from "../shared/record/record.ts"

/** What a record keeps of a secret, times as the vault writes them (Unix seconds). */
export interface PlainSecret {
  readonly value: string
  readonly contentType?: string
  readonly tags: Readonly<Record<string, string>>
  readonly created: number
  readonly updated: number
  readonly recoveryLevel: string
  readonly recoverableDays: number
}

/** The topic of the bench's events. */
export const topic =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bench/providers/Microsoft.KeyVault/vaults/bench"

/** The type of the bench's events. */
export const eventType = "Microsoft.KeyVault.SecretNewVersionCreated"

/** A record of the product's format and size with the least work: what a script would write by hand. */
export function plainRecord(object: ObjectVersion, secret: PlainSecret): Buffer {
  const { value, contentType, tags, created, updated, recoveryLevel, recoverableDays } = secret
  const { vault, kind, name, version } = object
  const now = new Date().toISOString()
  const record = {
    format: recordFormat,
    object: { id: `${vault}/secrets/${name}/${version}`, vault, kind, name, version },
    attributes: {
      enabled: true,
      created: toTime(created),
      updated: toTime(updated),
      recoveryLevel,
      recoverableDays,
    },
    contentType,
    tags,
    managed: false,
    value,
    event: { id: randomUUID(), type: eventType, time: now, topic },
    readAt: now,
  }
  return Buffer.from(JSON.stringify(record), "utf8")
}

function toTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
