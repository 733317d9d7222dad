import { randomUUID } from "node:crypto"

/** What one event says, whatever its form. */
export interface EventFacts {
  /** The id of the version, as the vault writes it. */
  readonly versionUrl: string
  readonly eventId: string
  readonly topic: string
  readonly time: string
}

const type = "Microsoft.KeyVault.SecretNewVersionCreated"

/** Facts of an event about this version of a secret in the local vault `local-vault`. */
export function eventFacts(versionUrl: string, facts: Partial<EventFacts> = {}): EventFacts {
  return {
    versionUrl,
    eventId: randomUUID(),
    topic:
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.KeyVault/vaults/local-vault",
    // As old as the version it is about, in the service's precision.
    time: new Date().toISOString().replace("Z", "4567Z"),
    ...facts,
  }
}

function dataOf({ versionUrl }: EventFacts) {
  const [name = "", version = ""] = versionUrl.split("/").slice(-2)
  return {
    Id: versionUrl,
    VaultName: "local-vault",
    ObjectType: "Secret",
    ObjectName: name,
    Version: version,
    NBF: null,
    EXP: null,
  }
}

/** The event in the Event Grid schema. */
export function eventGridForm(facts: EventFacts) {
  const data = dataOf(facts)
  return {
    id: facts.eventId,
    topic: facts.topic,
    subject: data.ObjectName,
    eventType: type,
    eventTime: facts.time,
    data,
    dataVersion: "1",
    metadataVersion: "1",
  }
}

/** The event in the Event Grid schema as it was once delivered: names in another case, stray spaces. */
export function untidyForm(facts: EventFacts) {
  const { Id, VaultName, ObjectName, Version } = dataOf(facts)
  const data = {
    version: ` ${Version}`,
    Id,
    exp: "1559082102",
    vaultName: VaultName,
    objectType: "Secret",
    nbf: "1559081980",
    "objectName ": ObjectName,
  }
  return { ...eventGridForm(facts), data }
}

/** The event as a CloudEvent 1.0. */
export function cloudEventForm(facts: EventFacts) {
  const data = dataOf(facts)
  return {
    id: facts.eventId,
    source: facts.topic,
    subject: data.ObjectName,
    type,
    time: facts.time,
    data,
    specversion: "1.0",
  }
}

/** The event as a change message. */
export function changeMessageForm({ versionUrl, eventId, topic, time }: EventFacts) {
  return {
    change: {
      format: "keyvault-change/1",
      id: versionUrl,
      origin: "live",
      eventId,
      eventType: type,
      eventTime: time,
      topic,
    },
  }
}
