import { azureNamesOf } from "./azureNames.ts"
import type { HopEvidence } from "./evidence.ts"
import { clientIdSettings } from "./job.ts"
import type { Fix } from "./verdict.ts"

/** A role of `infra/`: what its name begins with, and the nearest built-in one where no role may be made. */
interface DeployedRole {
  readonly name: string
  readonly builtIn: string
  /** Its assignment carries a condition, without which it would read every record. */
  readonly isConditional?: boolean
}

const custom = "Key Vault backup:"

/** Rights that the refused calls of a hop needed, each once. */
export function missingRights({ calls, queueCalls }: HopEvidence): readonly string[] {
  const refused = [...calls, ...queueCalls].filter(({ answer }) => isRefused(answer))
  return [...new Set(refused.map(({ right }) => right))]
}

function isRefused({ error }: { readonly error?: string }): boolean {
  return error?.endsWith("_FORBIDDEN") === true
}

/** The role that is missing, at the narrowest scope, for exactly the identity that asked. */
export function fixRole(evidence: HopEvidence): Fix {
  const { hop } = evidence
  const rights = missingRights(evidence)
  const grants = grantsOf(evidence)
  const roles = [...new Set(grants.map(({ role }) => role))]
  const { assignee, name } = identityOf(evidence)
  return {
    what:
      `Give ${name}, the identity of ${hop.job}, its role at ${hop.target}: it lacks ${rights.join(", ")}. ` +
      "The network lets it through. A role that was assigned just before takes some minutes to apply.",
    bicep: `roleSource = 'custom', or 'builtIn' for ${roles.map(({ builtIn }) => builtIn).join(" and ")}`,
    role: roles.map((role) => role.name).join(", "),
    az: [
      ...new Set(
        grants.map(({ role, scope }) =>
          role.isConditional === true
            ? // The condition is part of the deployment, and stands in one place only.
              "az deployment sub create --name kvbackup --location LOCATION --template-file infra/main.bicep --parameters infra/main.bicepparam"
            : `az role assignment create --role "$(az role definition list --custom-role-only true --query "[?starts_with(roleName, '${role.name} ')].name | [0]" --output tsv)" ${assignee} --scope ${scope}`,
        ),
      ),
    ],
  }
}

interface Grant {
  readonly role: DeployedRole
  /** In a shell's words. */
  readonly scope: string
}

function grantsOf({ hop, calls, queueCalls }: HopEvidence): readonly Grant[] {
  const { id } = azureNamesOf(hop.kind, hop.host)
  const below = (path: string) => `${id.slice(0, -1)}/${path}"`
  const container = below(`blobServices/default/containers/${hop.target.split("/").at(-1) ?? ""}`)
  switch (hop.kind) {
    case "vault":
      return [{ role: vaultRole(hop.job), scope: vaultScope(hop.job, calls, id, below) }]
    case "digestKey":
      return [{ role: { name: `${custom} sign with keys`, builtIn: "Key Vault Crypto User" }, scope: id }]
    case "store":
      return [{ role: storeRole(hop.job), scope: container }]
    case "state":
      return [
        {
          role: {
            name: `${custom} state at containers`,
            builtIn: "Storage Blob Data Contributor",
            isConditional: true,
          },
          scope: container,
        },
      ]
    case "deadLetter":
      return [
        {
          role: { name: `${custom} read at containers`, builtIn: "Storage Blob Data Reader" },
          scope: container,
        },
      ]
    case "queue":
      return queueCalls
        .filter(({ answer }) => isRefused(answer))
        .map(({ right, queue }) => ({ role: queueRole(right), scope: below(`queues/${queue}`) }))
  }
}

const vaultBuiltIn: Readonly<Record<string, string>> = {
  backup: "Key Vault Certificate User",
  reconcile: "Key Vault Reader",
  canary: "Key Vault Secrets Officer",
  verify: "Key Vault Certificate User",
  restore: "Key Vault Secrets Officer and Key Vault Certificates Officer",
}

function vaultRole(job: string): DeployedRole {
  return { name: `${custom} ${job} at vaults`, builtIn: vaultBuiltIn[job] ?? "Key Vault Reader" }
}

/** The canary may set one secret, and gets its role there. */
function vaultScope(
  job: string,
  calls: HopEvidence["calls"],
  id: string,
  below: (path: string) => string,
): string {
  const secret = job === "canary" ? calls.find(({ object }) => object !== undefined)?.object : undefined
  return secret === undefined ? id : below(secret)
}

function storeRole(job: string): DeployedRole {
  if (job === "backup")
    return { name: `${custom} add at containers`, builtIn: "Storage Blob Data Contributor" }
  if (job === "verify" || job === "restore") {
    return { name: `${custom} read at containers`, builtIn: "Storage Blob Data Reader" }
  }
  const isReader = job === "canary"
  return {
    name: `${custom} ${isReader ? "read" : "ledger"} at containers`,
    builtIn: isReader ? "Storage Blob Data Reader" : "Storage Blob Data Contributor",
    isConditional: true,
  }
}

function queueRole(right: string): DeployedRole {
  return right.includes("send")
    ? { name: `${custom} send at queues`, builtIn: "Azure Service Bus Data Sender" }
    : { name: `${custom} receive at queues`, builtIn: "Azure Service Bus Data Receiver" }
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
