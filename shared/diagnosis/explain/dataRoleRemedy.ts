import type { Remedy } from "./explanation.ts"
import type { KnownCode } from "./knownCode.ts"
import type { PasteFacts } from "./pasteFacts.ts"

/** Built-in roles by the action they hold; infra/ defines narrower ones. */
const roles: readonly (readonly [RegExp, string])[] = [
  [/\/vaults\/secrets\/getSecret\/action$/i, "Key Vault Secrets User"],
  [/\/vaults\/secrets\/readMetadata\/action$/i, "Key Vault Reader"],
  [/\/vaults\/secrets\/(?:setSecret|update|recover|purge|delete)/i, "Key Vault Secrets Officer"],
  [/\/vaults\/certificates\/read$/i, "Key Vault Certificate User"],
  [
    /\/vaults\/certificates\/(?:import|create|update|recover|purge|delete)/i,
    "Key Vault Certificates Officer",
  ],
  [/\/vaults\/keys\/(?:unwrap|wrap|sign|verify|encrypt|decrypt)\/action$/i, "Key Vault Crypto User"],
  [/\/containers\/blobs\/(?:add\/action|write)$/i, "Storage Blob Data Contributor"],
  [/\/containers\/blobs\/read$/i, "Storage Blob Data Reader"],
  [/\/messages\/send\/action$/i, "Azure Service Bus Data Sender"],
  [/\/messages\/receive\/action$/i, "Azure Service Bus Data Receiver"],
]

/** Rights that Service Bus calls claims. */
const claims: Readonly<Record<string, string>> = {
  "Send claim": "Azure Service Bus Data Sender",
  "Listen claim": "Azure Service Bus Data Receiver",
}

const places: Readonly<Record<string, { readonly provider: RegExp; readonly scope: string }>> = {
  storage: {
    provider: /\/providers\/microsoft\.storage\//i,
    scope: "STORAGE_ACCOUNT_ID/blobServices/default/containers/keyvault-backups",
  },
  vault: { provider: /\/providers\/microsoft\.keyvault\//i, scope: "VAULT_ID" },
  serviceBus: {
    provider: /\/providers\/microsoft\.servicebus\//i,
    scope: "NAMESPACE_ID/queues/keyvault-changes",
  },
}

/**
 * The role that holds what was refused, at the resource that refused. A role that the text does not tell is a word to be
 * filled in, and never a wider one.
 */
export function dataRoleRemedy(known: KnownCode, facts: PasteFacts): Remedy {
  const { service, code } = known
  const { objectId, permission } = facts
  const assignee = objectId ?? "OBJECT_ID_OF_THE_IDENTITY"
  if (
    permission !== undefined ||
    (service === "vault" && /^(?:AccessDenied|ForbiddenByPolicy)$/.test(code))
  ) {
    const { on, name } = permission ?? { on: "secret", name: "PERMISSION" }
    return {
      says: "Give the identity this permission in the vault's access policies, and no more: the vault decides by them, so no role counts. Backup needs get for secrets and for certificates.",
      bicep: "vaults[].permissionModel = 'accessPolicies'",
      command: `az keyvault set-policy --name VAULT --object-id ${assignee} --${on}-permissions ${name}`,
    }
  }
  const place = places[service]
  const [action] = facts.actions
  const role =
    roles.find(([pattern]) => action !== undefined && pattern.test(action))?.[1] ?? claims[code] ?? "ROLE"
  const scope = place ? facts.scopes.find((id) => place.provider.test(id)) : undefined
  // A role for one object of a vault would be one of many; it belongs to the vault.
  const resource = scope?.replace(/(\/vaults\/[^/]+)\/.*$/i, "$1")
  return {
    says: `Assign the data role to exactly this identity at exactly this scope, and wait some minutes until it applies. infra/ defines a role of its own for each job, narrower than the built-in ones. If the assignment is there: look whether the app uses the identity it was given to (BACKUP_<JOB>_CLIENT_ID). \`kvbackup doctor\` names the role and the identity.`,
    bicep: "roleSource = 'custom' of infra/main.bicep: a role of its own for each job",
    command: `az role assignment create --assignee-object-id ${assignee} --assignee-principal-type ServicePrincipal --role "${role}" --scope ${resource ?? place?.scope ?? "SCOPE"}`,
  }
}
