import { randomUUID } from "node:crypto"
import type { VaultChange } from "../keyVault/vaultChange.ts"
import { sevenDigitTime } from "./sevenDigitTime.ts"

/** The two forms in which an event subscription delivers. */
export type EventSchema = "EventGridSchema" | "CloudEventSchemaV1_0"

/** An event as it goes over the wire. */
export type EventObject = Readonly<Record<string, unknown>>

/**
 * The event that Key Vault publishes about `change`, each time with a new id.
 *
 * Member names in `data` are in Pascal case; `NBF` and `EXP` are epoch seconds, or null when unset. The topic
 * keeps the case of the vault's ARM id while the host in `data.Id` is in lower case; `subject` is the bare name
 * of the object.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export function keyVaultEvent(change: VaultChange, schema: EventSchema): EventObject {
  const id = randomUUID()
  const type = `Microsoft.KeyVault.${change.eventType}`
  const time = sevenDigitTime(change.changedAt)
  const data = {
    Id: change.id,
    VaultName: change.vaultName,
    ObjectType: change.objectType,
    ObjectName: change.objectName,
    Version: change.version,
    NBF: change.notBefore ?? null,
    EXP: change.expires ?? null,
  }
  if (schema === "CloudEventSchemaV1_0") {
    return { id, source: change.topic, subject: change.objectName, type, time, data, specversion: "1.0" }
  }
  return {
    id,
    topic: change.topic,
    subject: change.objectName,
    eventType: type,
    data,
    dataVersion: "1",
    metadataVersion: "1",
    eventTime: time,
  }
}
