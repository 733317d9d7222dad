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

/** A record of the product's format with the least work: what a script would write by hand. */
export function plainRecord(object: ObjectVersion, secret: PlainSecret): Buffer {
  const { value, contentType, tags, created, updated, recoveryLevel, recoverableDays } = secret
  const { vault, kind, name, version } = object
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
    readAt: new Date().toISOString(),
  }
  return Buffer.from(JSON.stringify(record), "utf8")
}

function toTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
