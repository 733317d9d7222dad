import { azureNamesOf } from "./azureNames.ts"
import type { HopEvidence } from "./evidence.ts"
import { clientIdSettings } from "./job.ts"
import type { Fix } from "./verdict.ts"

/** The narrowest built-in role with an action; none where every built-in one is too wide. */
const builtIn: readonly (readonly [pattern: RegExp, role: string])[] = [
  [/secrets\/getSecret/, "Key Vault Secrets User"],
  [/certificates\/read$/, "Key Vault Certificate User"],
  [/secrets\/readMetadata/, "Key Vault Reader"],
  [/secrets\/setSecret/, "Key Vault Secrets Officer"],
  [/vaults\/keys\//, "Key Vault Crypto User"],
  [/blobs\/read/, "Storage Blob Data Reader"],
  [/containers\/read$/, "Reader"],
  [/messages\/send/, "Azure Service Bus Data Sender"],
  [/messages\/receive/, "Azure Service Bus Data Receiver"],
]

/** Rights that the refused calls of a hop needed, each once. */
export function missingRights({ calls, queueCalls }: HopEvidence): readonly string[] {
  const refused = [...calls, ...queueCalls].filter(({ answer }) => answer.error?.endsWith("_FORBIDDEN") === true)
  return [...new Set(refused.map(({ right }) => right))]
}

/** The role that is missing, at the narrowest scope, for exactly the identity that asked. */
export function fixRole(evidence: HopEvidence): Fix {
  const { hop } = evidence
  const rights = missingRights(evidence)
  const roles = [...new Set(rights.map((right) => builtIn.find(([pattern]) => pattern.test(right))?.[1]))]
  const named = roles.filter((role) => role !== undefined)
  const { assignee, name } = identityOf(evidence)
  const scopes = scopesOf(evidence)
  const custom = roles.includes(undefined)
  return {
    what:
      `Give ${name}, the identity of ${hop.job}, the role of ${hop.job} at ${hop.target}: it lacks ${rights.join(", ")}. ` +
      "The network lets it through. A role that was assigned just before takes some minutes to apply." +
      (custom ? " No built-in role is as narrow: take the custom one of infra/." : ""),
    bicep: "roleSource = 'custom'",
    role: custom ? `the custom role of ${hop.job}` : named.join(", "),
    az: [
      ...named.flatMap((role) =>
        scopes.map((scope) => `az role assignment create --role "${role}" ${assignee} --scope ${scope}`),
      ),
      ...(custom
        ? [
            `az role assignment create --role "$(az role definition list --custom-role-only true --query "[?permissions[0].dataActions && contains(permissions[0].dataActions, '${rights.find((right) => builtIn.every(([pattern]) => !pattern.test(right))) ?? ""}')].name | [0]" --output tsv)" ${assignee} --scope ${scopes[0]}`,
          ]
        : []),
    ],
  }
}

/** For a vault that decides by access policies. */
export function fixAccessPolicy(evidence: HopEvidence): Fix {
  const { name } = azureNamesOf(evidence.hop.kind, evidence.hop.host)
  const { objectId } = identityOf(evidence)
  const rights = missingRights(evidence)
  const permission = (pattern: RegExp, granted: string) =>
    rights.some((right) => pattern.test(right)) ? [granted] : []
  const permissions = [
    ...permission(/secrets\/getSecret/, "--secret-permissions get"),
    ...permission(/secrets\/readMetadata/, "--secret-permissions list"),
    ...permission(/secrets\/setSecret/, "--secret-permissions set"),
    ...permission(/certificates\/read/, "--certificate-permissions get list"),
    ...permission(/vaults\/keys\//, "--key-permissions get sign verify"),
  ]
  return {
    what: `Give the identity of ${evidence.hop.job} these permissions in an access policy of the vault ${name}: it decides by access policies, so no role counts.`,
    bicep: "vaults[].permissionModel = 'accessPolicies'",
    az: permissions.map(
      (granted) => `az keyvault set-policy --name ${name} --object-id ${objectId} ${granted}`,
    ),
  }
}

function identityOf({ hop, token }: HopEvidence) {
  const { objectId, clientId } = token?.claims ?? {}
  return {
    name: clientId ?? objectId ?? clientIdSettings[hop.job],
    objectId: objectId ?? "OBJECT_ID",
    assignee: `--assignee-object-id ${objectId ?? "OBJECT_ID"} --assignee-principal-type ServicePrincipal`,
  }
}

function scopesOf(evidence: HopEvidence): readonly string[] {
  const { hop, queueCalls } = evidence
  const { id } = azureNamesOf(hop.kind, hop.host)
  const at = id.slice(0, -1)
  if (hop.kind === "queue") {
    const refused = queueCalls.filter(({ answer }) => answer.error?.endsWith("_FORBIDDEN") === true)
    return [...new Set(refused.map(({ queue }) => `${at}/queues/${queue}"`))]
  }
  if (hop.kind === "vault" || hop.kind === "digestKey") return [id]
  const container = hop.target.split("/").at(-1) ?? ""
  return [`${at}/blobServices/default/containers/${container}"`]
}
