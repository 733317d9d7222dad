import type { ObjectClaims } from "./changeNotice.ts"
import { type ObjectKind, type ObjectVersion } from "./objectVersion.ts"
import { quoteInput } from "./quoteInput.ts"
import { isAddress } from "./vaultHost.ts"

/** Two quotations go into one text, which may hold 200 characters from outside. */
const quoteLimit = 90

/**
 * The first statement of a message that contradicts its id, as a sentence without its full stop; `undefined`
 * when all agree. Case makes no difference, and what is absent contradicts nothing.
 *
 * A vault's name is the first label of its host. An address or localhost (the local cloud) has no such label:
 * there the two names that the message gives, `VaultName` and the one in its topic, are compared with each other.
 */
export function findContradiction(
  object: ObjectVersion,
  kindOfEvent: ObjectKind | undefined,
  claims: ObjectClaims,
  topic: string | undefined,
): string | undefined {
  const topicVault = vaultNameOfTopic(topic)
  const vault = isAddress(object.host) ? topicVault : object.host.split(/[.:]/)[0]
  const statements = [
    ["event type", kindOfEvent, object.kind],
    ["ObjectType", claims.objectType, object.kind],
    ["VaultName", claims.vaultName, vault],
    ["topic's vault", topicVault, vault],
    ["ObjectName", claims.objectName, object.name],
    ["Version", claims.version, object.version],
  ] as const
  for (const [label, said, meant] of statements) {
    if (said !== undefined && meant !== undefined && said.toLowerCase() !== meant.toLowerCase()) {
      return `its ${label} says ${quoteInput(said, quoteLimit)}, not ${quoteInput(meant, quoteLimit)}`
    }
  }
  return undefined
}

/** The vault named by a Key Vault topic; `undefined` for topics of other types, which real payloads have had. */
function vaultNameOfTopic(topic = ""): string | undefined {
  return /\/providers\/microsoft\.keyvault\/vaults\/([^/]+)\/?$/i.exec(topic)?.[1]
}
