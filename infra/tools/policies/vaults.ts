import { appSettings, at, groupOf, type Plan, type Policy, resourcesOf, wrongOnes } from "./plan.ts"

const vault = "Microsoft.KeyVault/vaults"

/** Names of the vaults that are backed up. */
export function backedUpVaults(plan: Plan): readonly string[] {
  return (appSettings(plan)["BACKUP_VAULTS"] ?? "")
    .split(",")
    .map((url) => URL.parse(url)?.hostname.split(".")[0] ?? "")
}

/** The rules of vaults that are made here, and of the recovery keys. */
export const vaultPolicies = {
  "vault-public-access-off": (plan) =>
    wrongOnes(plan, vault, ({ properties }) => properties?.["publicNetworkAccess"] === "Disabled"),
  "vault-denies-networks": (plan) =>
    wrongOnes(
      plan,
      vault,
      (resource) =>
        at(resource, "properties.networkAcls.defaultAction") === "Deny" &&
        at(resource, "properties.networkAcls.bypass") === "None",
    ),
  "vault-by-roles": (plan) =>
    wrongOnes(
      plan,
      vault,
      ({ properties }) =>
        properties?.["enableRbacAuthorization"] === true && properties["accessPolicies"] === undefined,
    ),
  "vault-keeps-what-is-deleted": (plan) =>
    wrongOnes(
      plan,
      vault,
      ({ properties }) =>
        properties?.["enableSoftDelete"] === true &&
        properties["enablePurgeProtection"] === true &&
        properties["softDeleteRetentionInDays"] === 90,
    ),
  "recovery-keys-apart": (plan) => {
    const main = groupOf(resourcesOf(plan, "Microsoft.ServiceBus/namespaces")[0]?.id ?? "")
    return wrongOnes(
      plan,
      `${vault}/keys`,
      ({ id, name }) => groupOf(id) !== main && !backedUpVaults(plan).includes(name.split("/")[0] ?? ""),
    )
  },
  // While backups are held by a locked policy, a lock holds the keys without which they are of no use.
  "recovery-keys-are-kept": (plan) => {
    const locked = resourcesOf(plan, "Microsoft.Authorization/locks").map(({ id }) => id)
    if (!locked.some((id) => id.includes("/storageAccounts/"))) return []
    const keys = resourcesOf(plan, `${vault}/keys`).map(({ id }) => id.split("/keys/")[0] ?? "")
    return [...new Set(keys)].filter((id) => !locked.some((lock) => lock.startsWith(`${id}/`)))
  },
  "recovery-keys-do-one-thing": (plan) =>
    wrongOnes(plan, `${vault}/keys`, ({ properties }) =>
      ["wrapKey,unwrapKey", "sign,verify"].includes(String(properties?.["keyOps"])),
    ),
  // An app may read and list; a person of restore may add. Nobody may take anything away.
  "access-policies-take-nothing-away": (plan) =>
    wrongOnes(plan, `${vault}/accessPolicies`, (resource) => {
      const granted = JSON.stringify(resource.properties)
      return !/"(all|delete|purge|backup|restore|recover|manage\w*|update)"/i.test(granted)
    }),
} as const satisfies Record<string, Policy>
