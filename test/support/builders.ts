import type { Change } from "../../shared/change/change.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import type { SecretReading } from "../../shared/vault/vaultReader.ts"

/** The host every builder uses. */
export const host = "kv-test.vault.azure.net"

/** The vault every builder uses. */
export const vault = `https://${host}`

/** Version `n` of the made-up ones: 32 hex digits. */
export function versionId(n: number): string {
  return n.toString(16).padStart(32, "0")
}

/** One secret version; `version` may be given as a number. */
export function anObject({
  version = 1,
  ...rest
}: Partial<Omit<ObjectVersion, "version">> & { readonly version?: string | number } = {}): ObjectVersion {
  const at = rest.host ?? host
  return {
    vault: `https://${at}`,
    host: at,
    kind: "secret",
    name: "db-password",
    ...rest,
    version: typeof version === "number" ? versionId(version) : version,
  }
}

/** A live change of one secret version with its event. */
export function aChange(change: Partial<Change> = {}): Change {
  return {
    object: anObject(),
    origin: "live",
    event: {
      id: "3f2f7a52-8a6b-4c0e-9d1e-0f6d3b7c9a11",
      type: "Microsoft.KeyVault.SecretNewVersionCreated",
      time: "2026-03-01T10:00:00.1234567Z",
      topic:
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-test",
    },
    ...change,
  }
}

/** What the vault answers for one version; `value` as text, `undefined` for an answer without one. */
export function aReading({
  value,
  ...rest
}: Partial<Omit<SecretReading, "value">> & { readonly value?: string } = {}): Partial<SecretReading> {
  return {
    tags: { owner: "team-a" },
    contentType: "text/plain",
    attributes: {
      enabled: true,
      created: new Date("2026-03-01T10:00:00Z"),
      updated: new Date("2026-03-01T10:00:00Z"),
      recoveryLevel: "Recoverable+Purgeable",
      recoverableDays: 90,
    },
    managed: false,
    ...(value === undefined ? {} : { value: new SecretValue(value) }),
    ...rest,
  }
}

/** The Event Grid event of one secret version, as the body of a message. */
export function anEventGridEvent(object: ObjectVersion = anObject()) {
  return {
    id: "3f2f7a52-8a6b-4c0e-9d1e-0f6d3b7c9a11",
    topic:
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-test",
    subject: object.name,
    eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
    eventTime: "2026-03-01T10:00:00.1234567Z",
    data: {
      Id: `${object.vault}/secrets/${object.name}/${object.version}`,
      VaultName: "kv-test",
      ObjectType: "Secret",
      ObjectName: object.name,
      Version: object.version,
      NBF: null,
      EXP: null,
    },
    dataVersion: "1",
    metadataVersion: "1",
  }
}

/** The event that a new version of a certificate, secret or key raises, in the Event Grid schema. */
export function anEventOfKind(kind: "Certificate" | "Secret" | "Key", object: ObjectVersion) {
  const event = anEventGridEvent(object)
  const vaultName = object.host.startsWith("127.") ? "kv-local" : event.data.VaultName
  return {
    ...event,
    topic: event.topic.replace("kv-test", vaultName),
    eventType: `Microsoft.KeyVault.${kind}NewVersionCreated`,
    data: {
      ...event.data,
      Id: `${object.vault}/${kind.toLowerCase()}s/${object.name}/${object.version}`,
      VaultName: vaultName,
      ObjectType: kind,
    },
  }
}

/** The same event as a CloudEvent. */
export function aCloudEvent(object: ObjectVersion = anObject()) {
  const { id, topic, subject, eventType, eventTime, data } = anEventGridEvent(object)
  return { id, source: topic, subject, type: eventType, time: eventTime, data, specversion: "1.0" }
}
