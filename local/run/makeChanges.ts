import type { CertificateClient } from "@azure/keyvault-certificates"
import type { SecretClient } from "@azure/keyvault-secrets"
import { type BuiltInChange, builtInChanges } from "../builtIn/builtInChanges.ts"
import type { Cloud } from "../cloud/startCloud.ts"
import { type ChangeTracker, standingOutcome } from "./changeTracker.ts"
import { createUserCertificateClient, createUserSecretClient } from "./vaultUser.ts"

/** A change that was made, and what must become of it. */
export interface MadeChange {
  readonly label: string
  /** The version; absent for an event that makes none. */
  readonly id?: string
  readonly expected: BuiltInChange["expected"]
  /** Which outcome of this version (or, without one, of all events without a version) is meant, from 1. */
  readonly nth: number
  /** Of a change without a version: the reason why its event is skipped, which tells it from others. */
  readonly reason?: string
  /** The certificate's policy keeps its private key in the vault. */
  readonly isPublicOnly?: boolean
}

/**
 * Makes the built-in changes with a real client, in their order. An event that repeats another waits until that one
 * has its outcome.
 */
export async function makeBuiltInChanges(
  cloud: Cloud,
  tracker: ChangeTracker,
  timeoutMs: number,
): Promise<MadeChange[]> {
  const client = createUserSecretClient(cloud)
  const certificateClient = createUserCertificateClient(cloud)
  const made: MadeChange[] = []
  let events = 0
  for (const { label, act, expected } of builtInChanges()) {
    if (act.kind === "set" || act.kind === "setTogether") {
      for (const id of await setVersions(client, act)) made.push({ label, id, expected, nth: 1 })
      continue
    }
    if (act.kind === "createCertificate" || act.kind === "importCertificate") {
      const id = await makeCertificate(certificateClient, act)
      const isPublicOnly = act.kind === "createCertificate" && act.policy.exportable === false
      made.push({ label, id, expected, nth: 1, ...(isPublicOnly ? { isPublicOnly } : {}) })
      continue
    }
    const id = made.find((other) => other.label === act.of)?.id
    if (id === undefined) throw new TypeError(`No change is called ${act.of}`)
    await tracker.waitFor(() => standingOutcome(tracker.versions.get(id)) !== undefined, timeoutMs)
    if (act.kind === "repeatEvent") {
      cloud.eventGrid.repeat(id)
      made.push({ label, id, expected, nth: 2 })
    } else {
      cloud.vaults[0]?.raiseExpiry("secret", id.split("/").at(-2) ?? "", "NearExpiry")
      events += 1
      made.push({ label, expected, nth: events, reason: "event-type" })
    }
  }
  return made
}

type CertificateAct = Extract<BuiltInChange["act"], { kind: "createCertificate" | "importCertificate" }>

async function makeCertificate(client: CertificateClient, act: CertificateAct): Promise<string> {
  if (act.kind === "importCertificate") {
    const { name, value, contentType } = act
    const bytes = Buffer.from(value, contentType === "application/x-pkcs12" ? "base64" : "utf8")
    const { properties } = await client.importCertificate(name, bytes, { policy: { contentType } })
    return (properties.id ?? "").toLowerCase()
  }
  const { name, policy, enabled = true } = act
  const poller = await client.beginCreateCertificate(name, { ...policy }, { enabled, intervalInMs: 50 })
  const { properties } = await poller.pollUntilDone()
  return (properties.id ?? "").toLowerCase()
}

type SetAct = Extract<BuiltInChange["act"], { kind: "set" | "setTogether" }>

async function setVersions(client: SecretClient, act: SetAct): Promise<string[]> {
  const values = act.kind === "setTogether" ? act.values : [act.value]
  const properties = act.kind === "set" ? propertiesOf(act) : {}
  const answers = await Promise.all(values.map((value) => client.setSecret(act.name, value, properties)))
  return answers.map((answer) => (answer.properties.id ?? "").toLowerCase())
}

function propertiesOf({ contentType, tags, enabled, notBefore, expires }: Extract<SetAct, { kind: "set" }>) {
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(tags ? { tags: { ...tags } } : {}),
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore ? { notBefore } : {}),
    ...(expires ? { expiresOn: expires } : {}),
  }
}
