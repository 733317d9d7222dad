import { appSettings, at, listAt, type Policy, resourcesOf, textAt, wrongOnes } from "./plan.ts"
import { accountWith, containerOf } from "./whichAccount.ts"

const account = "Microsoft.Storage/storageAccounts"
const blobServices = `${account}/blobServices`

/** The rules of the three storage accounts. */
export const storagePolicies = {
  "storage-keys-off": (plan) =>
    wrongOnes(
      plan,
      account,
      ({ properties }) =>
        properties?.["allowSharedKeyAccess"] === false && properties["defaultToOAuthAuthentication"] === true,
    ),
  "storage-anonymous-off": (plan) => [
    ...wrongOnes(plan, account, ({ properties }) => properties?.["allowBlobPublicAccess"] === false),
    ...wrongOnes(
      plan,
      `${blobServices}/containers`,
      ({ properties }) => properties?.["publicAccess"] === "None",
    ),
  ],
  "storage-tls": (plan) =>
    wrongOnes(
      plan,
      account,
      ({ properties }) =>
        ["TLS1_2", "TLS1_3"].includes(String(properties?.["minimumTlsVersion"])) &&
        properties?.["supportsHttpsTrafficOnly"] === true,
    ),
  "storage-local-users-off": (plan) =>
    wrongOnes(
      plan,
      account,
      ({ properties }) => properties?.["isLocalUserEnabled"] === false && !properties["isSftpEnabled"],
    ),
  "storage-stays-in-tenant": (plan) =>
    wrongOnes(
      plan,
      account,
      ({ properties }) =>
        properties?.["allowCrossTenantReplication"] === false && properties["allowedCopyScope"] === "AAD",
    ),
  "storage-default-deny": (plan) =>
    wrongOnes(plan, account, (resource) => at(resource, "properties.networkAcls.defaultAction") === "Deny"),
  "storage-no-network-rules": (plan) =>
    wrongOnes(
      plan,
      account,
      (resource) =>
        listAt(resource, "properties.networkAcls.ipRules").length === 0 &&
        listAt(resource, "properties.networkAcls.virtualNetworkRules").length === 0,
    ),
  "storage-public-access-off": (plan) => {
    const open = accountWith(plan, containerOf.deadLetters)?.name
    return wrongOnes(
      plan,
      account,
      ({ name, properties }) =>
        properties?.["publicNetworkAccess"] === (name === open ? "Enabled" : "Disabled"),
    )
  },
  "trusted-services-only-for-dead-letters": (plan) => {
    const open = accountWith(plan, containerOf.deadLetters)?.name
    return wrongOnes(
      plan,
      account,
      (resource) =>
        at(resource, "properties.networkAcls.bypass") === (resource.name === open ? "AzureServices" : "None"),
    )
  },
  "resource-rules-by-name": (plan) => {
    const deadLetters = accountWith(plan, containerOf.deadLetters)
    const topics = resourcesOf(plan, "Microsoft.EventGrid/systemTopics/eventSubscriptions")
      .map(({ id }) => id.split("/eventSubscriptions/")[0] ?? "")
      .toSorted()
    return wrongOnes(plan, account, (resource) => {
      const rules = listAt(resource, "properties.networkAcls.resourceAccessRules")
      const ids = rules.map((rule) => textAt(rule, "resourceId"))
      const areNamed = rules.every(
        (rule) =>
          /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/[\w.]+(\/[\w.-]+){2,}$/.test(
            textAt(rule, "resourceId"),
          ) && /^[\da-f-]{36}$/.test(textAt(rule, "tenantId")),
      )
      if (resource.name === deadLetters?.name) return ids.toSorted().join() === topics.join()
      if (resource.name === accountWith(plan, containerOf.runtime)?.name) return rules.length === 0
      return areNamed
    })
  },
} as const satisfies Record<string, Policy>

/** The rules of the container of the backups. */
export const retentionPolicies = {
  "retention-present": (plan) => {
    const backups = accountWith(plan, containerOf.backups)
    if (!backups) return [containerOf.backups]
    const policies = resourcesOf(plan, `${blobServices}/containers/immutabilityPolicies`).filter(
      ({ name, properties }) =>
        name === `${backups.name}/default/${containerOf.backups}/default` &&
        Number(properties?.["immutabilityPeriodSinceCreationInDays"]) >= 1,
    )
    // A locked policy is no longer part of a deployment; the account is then kept by a lock.
    const locks = resourcesOf(plan, "Microsoft.Authorization/locks").filter(
      ({ id, properties }) => id.startsWith(`${backups.id}/`) && properties?.["level"] === "CanNotDelete",
    )
    return policies.length + locks.length === 1 ? [] : [backups.name]
  },
  "retention-as-the-worker-expects": (plan) => {
    const days = Number(appSettings(plan)["BACKUP_STORE_MIN_RETENTION_DAYS"])
    return wrongOnes(
      plan,
      `${blobServices}/containers/immutabilityPolicies`,
      ({ properties }) => Number(properties?.["immutabilityPeriodSinceCreationInDays"]) >= days,
    )
  },
  "no-protected-append": (plan) =>
    wrongOnes(
      plan,
      `${blobServices}/containers/immutabilityPolicies`,
      ({ properties }) =>
        properties?.["allowProtectedAppendWrites"] === false &&
        properties["allowProtectedAppendWritesAll"] === false,
    ),
  "versioning-off": (plan) => {
    const backups = accountWith(plan, containerOf.backups)?.name
    return wrongOnes(
      plan,
      blobServices,
      ({ name, properties }) =>
        name !== `${backups}/default` || properties?.["isVersioningEnabled"] === false,
    )
  },
  "no-version-level-immutability": (plan) => [
    ...wrongOnes(
      plan,
      account,
      ({ properties }) => properties?.["immutableStorageWithVersioning"] === undefined,
    ),
    ...wrongOnes(
      plan,
      `${blobServices}/containers`,
      ({ properties }) => properties?.["immutableStorageWithVersioning"] === undefined,
    ),
  ],
  "no-deletion-before-retention-ends": (plan) => {
    const backups = accountWith(plan, containerOf.backups)?.name
    const days = Number(appSettings(plan)["BACKUP_STORE_MIN_RETENTION_DAYS"])
    return wrongOnes(plan, `${account}/managementPolicies`, (resource) =>
      listAt(resource, "properties.policy.rules").every(
        (rule) =>
          resource.name !== `${backups}/default` ||
          Number(at(rule, "definition.actions.baseBlob.delete.daysAfterCreationGreaterThan")) > days,
      ),
    )
  },
  "dead-letters-kept-a-week": (plan) => {
    const deadLetters = accountWith(plan, containerOf.deadLetters)?.name
    return wrongOnes(plan, `${account}/managementPolicies`, (resource) =>
      listAt(resource, "properties.policy.rules").every(
        (rule) =>
          resource.name !== `${deadLetters}/default` ||
          Number(at(rule, "definition.actions.baseBlob.delete.daysAfterCreationGreaterThan")) >= 7,
      ),
    )
  },
} as const satisfies Record<string, Policy>
