import type { SecretClient } from "@azure/keyvault-secrets"
import { type BuiltInChange, builtInChanges } from "../builtIn/builtInChanges.ts"
import type { Cloud } from "../cloud/startCloud.ts"
import { type ChangeTracker, standingOutcome } from "./changeTracker.ts"
import { createUserSecretClient } from "./vaultUser.ts"

/** A change that was made, and what must become of it. */
export interface MadeChange {
  readonly label: string
  /** The version; absent for an event that makes none. */
  readonly id?: string
  readonly expected: BuiltInChange["expected"]
  /** Which outcome of this version (or, without one, of all events without a version) is meant, from 1. */
  readonly nth: number
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
  const made: MadeChange[] = []
  let events = 0
  for (const { label, act, expected } of builtInChanges()) {
    if (act.kind === "set" || act.kind === "setTogether") {
      for (const id of await setVersions(client, act)) made.push({ label, id, expected, nth: 1 })
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
      made.push({ label, expected, nth: events })
    }
  }
  return made
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
