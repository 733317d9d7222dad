import type { ExplanationKind, Remedy } from "./explanation.ts"
import { dataRoleRemedy } from "./dataRoleRemedy.ts"
import { decisive } from "./decisive.ts"
import type { KnownCode } from "./knownCode.ts"
import type { PasteFacts } from "./pasteFacts.ts"

/** What people take each kind for, and why it is not that. */
export function notThis({ kind, service, code }: KnownCode): readonly string[] {
  const no: Readonly<Record<ExplanationKind, readonly string[]>> = {
    network: [
      "No role is missing as far as this says: the network is judged first, and roles are not looked at before it is passed.",
      "Opening the resource to all networks, or to all trusted services, is not the remedy: functions are no trusted service.",
    ],
    dataRole: [
      "It is no firewall: the request arrived, and the identity was known.",
      "Owner and Contributor do not help: they are management roles, and give no access to data.",
    ],
    managementRole: [
      "It is no missing data role: none of the data roles has this action.",
      "It is no firewall: the firewall of a resource guards its data, and not the management plane.",
    ],
    objectState: [
      "It is neither the network nor a role: the service looked at the object and answered about it.",
    ],
    authentication: [
      "It is no missing role: the caller was not accepted as anybody yet.",
      ...(service === "storage" && code === "AuthenticationFailed"
        ? ["It is no firewall: that would be AuthorizationFailure."]
        : []),
    ],
    policy: ["It is no missing role: a rule stands against it, whoever asks."],
    throttling: [
      "It is no refusal: it passes. Nothing is lost meanwhile: changes are deferred and tried again.",
    ],
    unknown: [],
  }
  return no[kind]
}

/** The narrowest remedy for what was found. Where the text names the identity or the scope, the command has them. */
export function remedyOf(known: KnownCode, facts: PasteFacts): Remedy {
  const { kind } = known
  if (kind === "network") return networkRemedy(known, facts)
  if (kind === "dataRole") return dataRoleRemedy(known, facts)
  if (kind === "managementRole") return managementRemedy(known, facts)
  if (kind === "objectState") return objectRemedy(known)
  if (kind === "authentication") return authenticationRemedy(known)
  if (kind === "policy") return policyRemedy(known, facts)
  return {
    says: "Wait: the function lowers its own rate and honours Retry-After. Lower the rate of a replay or of other readers of the same vault.",
    command: "npx kvbackup replay --max-per-second 5",
  }
}

function networkRemedy({ service, code }: KnownCode, { zones }: PasteFacts): Remedy {
  if (/CERT|TLS|VERIFY/.test(code)) {
    return {
      says: "Take the proxy out of the way of these hosts, or make the service's own certificate arrive: traffic to private endpoints needs no proxy.",
      command: "npx kvbackup doctor",
    }
  }
  const zone =
    service === "storage" || service === "vault" || service === "serviceBus" ? zones[service] : "ZONE"
  return {
    says: "Let the function reach the service over its private endpoint: the name must resolve to a private address where the function runs. Most often the private DNS zone is not linked to its virtual network.",
    bicep:
      "hubDns of infra/main.bicep: absent, the deployment makes the zones and links them; given, the hub must link them",
    command: `az network private-dns link vnet create --resource-group RESOURCE_GROUP --zone-name ${zone} --name LINK --virtual-network VNET_ID --registration-enabled false`,
  }
}

function managementRemedy({ code }: KnownCode, facts: PasteFacts): Remedy {
  const { objectId } = facts
  const { action, scope } = decisive(facts, code)
  if (code === "PrincipalNotFound") {
    return {
      says: "Deploy again in a minute: the directory knows the new identity by then.",
      command: "azd provision",
    }
  }
  if (code === "RoleAssignmentUpdateNotPermitted") {
    return {
      says: "Delete the assignment that is left over from the deleted identity, and deploy again.",
      command: `az role assignment list --scope ${scope ?? "SCOPE"} --query "[?principalName=='']"`,
    }
  }
  const who = objectId ?? "OBJECT_ID_NAMED_IN_THE_TEXT"
  const isStorage = /^Microsoft\.Storage\//i.test(action ?? "")
  const isAssignment = /^Microsoft\.Authorization\//i.test(action ?? "")
  const role = isAssignment
    ? "Role Based Access Control Administrator"
    : isStorage
      ? "Storage Account Contributor"
      : "Contributor"
  const at = scope ?? "RESOURCE_ID"
  return {
    says: "Find out whose object id it is. A person or a pipeline that deploys: give it the management role below, at the resource and no higher. The function's own identity: change what runs as it, and give it nothing, since at run time nothing may change how a resource is set up.",
    bicep: "none: infra/main.bicep sets up the resources, deployed by somebody who may",
    command: `az role assignment create --assignee-object-id ${who} --role "${role}" --scope ${at}`,
  }
}

function objectRemedy({ code }: KnownCode): Remedy {
  if (code.endsWith("Disabled") && !/^(?:Account|Messaging)/.test(code) && !code.includes("entity")) {
    return {
      says: "Enable the version if it is still needed; `kvbackup reconcile` backs it up then, since enabling raises no event. Until then a gap record tells that it is not protected.",
      command: "az keyvault secret set-attributes --id VERSION_URL --enabled true",
    }
  }
  if (/DISABLED|ABSENT/.test(code)) {
    return {
      says: "Look at the version in the vault; `kvbackup reconcile` shows what is missing.",
      command: "npx kvbackup reconcile",
    }
  }
  if (code === "ObjectIsDeletedButRecoverable") {
    return {
      says: "Choose: recover the object, purge it for good, or take another name. Nothing of that happens by itself.",
      command: "az keyvault secret recover --vault-name VAULT --name NAME",
    }
  }
  if (/NotFound$|not-found$/.test(code) && /Secret|Certificate|Key/.test(code)) {
    return {
      says: "Look whether the object is soft-deleted, and recover it while that is possible.",
      command: "az keyvault secret list-deleted --vault-name VAULT --query [].name",
    }
  }
  if (/AlreadyExists|Overwrite/.test(code)) {
    return {
      says: "Nothing: the version is protected. `kvbackup verify --deep` compares it.",
      command: "npx kvbackup verify --deep --object ID",
    }
  }
  if (/^(?:MessagingEntity|amqp|com\.microsoft:entity)/.test(code)) {
    return {
      says: "Make the queue, or set BACKUP_QUEUE and BACKUP_QUARANTINE_QUEUE to the ones there are.",
      bicep: "infra/modules/serviceBus.bicep makes both queues",
      command:
        "az servicebus queue list --resource-group RESOURCE_GROUP --namespace-name NAMESPACE --query '[].{name:name,status:status}'",
    }
  }
  if (/[Ll]ock-?[Ll]ost/.test(code)) {
    return {
      says: "Nothing: the message comes again, and storing it again changes nothing.",
      command: "npx kvbackup status",
    }
  }
  return {
    says: "Look at the resource: name, container and state.",
    command: "az storage container list --account-name ACCOUNT --auth-mode login --query [].name",
  }
}

function authenticationRemedy({ service, code }: KnownCode): Remedy {
  if (code === "KeyBasedAuthenticationNotPermitted" || code === "PublicAccessNotPermitted") {
    return {
      says: "Make the caller use its managed identity. For the Functions host: AzureWebJobsStorage__accountName with __credential and __clientId, and no AzureWebJobsStorage beside it. Do not allow shared keys.",
      bicep: "infra/modules/function.bicep sets the identity connections",
      command:
        "az functionapp config appsettings list --name APP --resource-group RESOURCE_GROUP --query \"[?starts_with(name,'AzureWebJobsStorage')].name\"",
    }
  }
  if (service === "vault") {
    return {
      says: "Set BACKUP_VAULT_AUDIENCE for a sovereign cloud, or correct BACKUP_VAULTS.",
      command: "npx kvbackup doctor",
    }
  }
  if (service === "storage") {
    return {
      says: "Look at the token's audience (https://storage.azure.com) and tenant, and at the clock of the machine.",
      command: "npx kvbackup doctor --json",
    }
  }
  return {
    says: "Assign the identity to the app, and name it: BACKUP_<JOB>_CLIENT_ID for each job, and __credential=managedidentity with __clientId for the trigger's connection.",
    bicep: "infra/modules/function.bicep sets them from the identities it makes",
    command: "az functionapp identity show --name APP --resource-group RESOURCE_GROUP",
  }
}

function policyRemedy({ code, service }: KnownCode, { scopes: [scope] }: PasteFacts): Remedy {
  if (code === "ScopeLocked") {
    return {
      says: "See which lock it is, and whether it is meant; it can be taken off for the change by its owner.",
      command: `az lock list --resource ${scope ?? "RESOURCE_ID"}`,
    }
  }
  if (code === "RequestDisallowedByPolicy") {
    return {
      says: "Read which assignment denies it, and change the deployment so that it complies, or ask its owner for an exemption.",
      command:
        "az policy state list --filter \"complianceState eq 'NonCompliant'\" --query '[].{policy:policyDefinitionName,resource:resourceId}'",
    }
  }
  if (code === "ERR_STORE_NOT_IMMUTABLE") {
    return {
      says: "Give the container a time-based policy; lock it when everything works.",
      bicep: "retentionDays of infra/main.bicep",
      command:
        "az storage container immutability-policy create --account-name ACCOUNT --container-name keyvault-backups --period DAYS",
    }
  }
  return {
    says:
      service === "storage"
        ? "Nothing, where a backup met it: what is stored is protected. Whatever tried to overwrite or delete must not."
        : "Ask whoever set the rule.",
    command:
      "az storage container immutability-policy show --account-name ACCOUNT --container-name keyvault-backups",
  }
}
