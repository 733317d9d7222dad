import { one, set, remove, change, backups, deadLetters, type Mutant } from "./mutant.ts"
import { account, container, topic } from "./resourceTypes.ts"

export const storageMutants: readonly Mutant[] = [
  {
    breaks: "storage-keys-off",
    change: "account keys of the backups work",
    mutate: (plan) => set(backups(plan), "properties.allowSharedKeyAccess", true),
  },
  {
    breaks: "storage-keys-off",
    change: "nothing is said about account keys",
    mutate: (plan) => set(deadLetters(plan), "properties.allowSharedKeyAccess", undefined),
  },
  {
    breaks: "storage-anonymous-off",
    change: "the account allows anonymous reading",
    mutate: (plan) => set(backups(plan), "properties.allowBlobPublicAccess", true),
  },
  {
    breaks: "storage-anonymous-off",
    change: "a container is public",
    mutate: change(container, "keyvault-backups", "properties.publicAccess", "Blob"),
  },
  {
    breaks: "storage-tls",
    change: "TLS 1.0",
    mutate: change(account, "stkvbr", "properties.minimumTlsVersion", "TLS1_0"),
  },
  {
    breaks: "storage-tls",
    change: "a TLS version that is none",
    mutate: change(account, "stkvbr", "properties.minimumTlsVersion", "TLS9"),
  },
  {
    breaks: "storage-tls",
    change: "http is let in",
    mutate: change(account, "stkvbb", "properties.supportsHttpsTrafficOnly", false),
  },
  {
    breaks: "storage-local-users-off",
    change: "SFTP",
    mutate: change(account, "stkvbb", "properties.isSftpEnabled", true),
  },
  {
    breaks: "storage-stays-in-tenant",
    change: "backups may be replicated to another tenant",
    mutate: change(account, "stkvbb", "properties.allowCrossTenantReplication", true),
  },
  {
    breaks: "storage-default-deny",
    change: "the firewall lets everybody in",
    mutate: change(account, "stkvbd", "properties.networkAcls.defaultAction", "Allow"),
  },
  {
    breaks: "storage-no-network-rules",
    change: "an address is let in",
    mutate: change(account, "stkvbb", "properties.networkAcls.ipRules", [{ value: "203.0.113.7" }]),
  },
  {
    breaks: "storage-public-access-off",
    change: "the backups have a public way in",
    mutate: change(account, "stkvbb", "properties.publicNetworkAccess", "Enabled"),
  },
  {
    breaks: "storage-public-access-off",
    change: "public access is 'Off', which is no value",
    mutate: change(account, "stkvbr", "properties.publicNetworkAccess", "Off"),
  },
  {
    breaks: "trusted-services-only-for-dead-letters",
    change: "the backups admit trusted services",
    mutate: change(account, "stkvbb", "properties.networkAcls.bypass", "AzureServices"),
  },
  {
    breaks: "trusted-services-only-for-dead-letters",
    change: "the dead letters admit none, so nothing arrives",
    mutate: change(account, "stkvbd", "properties.networkAcls.bypass", "None"),
  },
  {
    breaks: "resource-rules-by-name",
    change: "every Logic App of a group is let in",
    plan: "existingVault",
    mutate: (plan) =>
      set(
        backups(plan),
        "properties.networkAcls.resourceAccessRules.0.resourceId",
        "/subscriptions/2/resourceGroups/rg/providers/Microsoft.Logic/workflows/*",
      ),
  },
  {
    breaks: "resource-rules-by-name",
    change: "another topic may leave dead letters",
    mutate: (plan) =>
      set(
        deadLetters(plan),
        "properties.networkAcls.resourceAccessRules.0.resourceId",
        one(plan, topic).id.replace("evgt", "other"),
      ),
  },
  {
    breaks: "retention-present",
    change: "the retention policy is gone",
    mutate: (plan) => remove(plan, one(plan, `${container}/immutabilityPolicies`)),
  },
  {
    breaks: "retention-present",
    change: "a locked account has no lock against deletion",
    plan: "locked",
    mutate: (plan) => remove(plan, one(plan, "Microsoft.Authorization/locks", "backups-are-kept")),
  },
  {
    breaks: "retention-as-the-worker-expects",
    change: "the policy is shorter than the setting",
    mutate: change(
      `${container}/immutabilityPolicies`,
      "",
      "properties.immutabilityPeriodSinceCreationInDays",
      7,
    ),
  },
  {
    breaks: "no-protected-append",
    change: "blobs may be appended to",
    mutate: change(`${container}/immutabilityPolicies`, "", "properties.allowProtectedAppendWrites", true),
  },
  {
    breaks: "versioning-off",
    change: "an overwrite makes a version",
    mutate: change(`${account}/blobServices`, "stkvbb", "properties.isVersioningEnabled", true),
  },
  {
    breaks: "no-version-level-immutability",
    change: "version-level immutability",
    mutate: change(account, "stkvbb", "properties.immutableStorageWithVersioning", { enabled: true }),
  },
  {
    breaks: "no-deletion-before-retention-ends",
    change: "a lifecycle rule shorter than the retention",
    plan: "locked",
    mutate: change(
      `${account}/managementPolicies`,
      "stkvbb",
      "properties.policy.rules.0.definition.actions.baseBlob.delete.daysAfterCreationGreaterThan",
      30,
    ),
  },
  {
    breaks: "dead-letters-kept-a-week",
    change: "dead letters go after a day",
    mutate: change(
      `${account}/managementPolicies`,
      "stkvbd",
      "properties.policy.rules.0.definition.actions.baseBlob.delete.daysAfterCreationGreaterThan",
      1,
    ),
  },
]
