import { appSettings, at, listAt, type Policy, resourcesOf, textAt, wrongOnes } from "./plan.ts"

const site = "Microsoft.Web/sites"

/** The rules of the function app and its settings. */
export const functionAppPolicies = {
  "app-has-its-identities": (plan) =>
    wrongOnes(plan, site, ({ identity }) => {
      const jobs = Object.keys(identity?.userAssignedIdentities ?? {}).map((id) => id.split("-").at(-1))
      return (
        identity?.type === "UserAssigned" &&
        jobs.toSorted().join() === "audit,backup,canary,host,reconcile,replay"
      )
    }),
  "app-is-tagged-for-azd": (plan) =>
    wrongOnes(plan, site, (resource) => at(resource, "tags.azd-service-name") === "function"),
  "app-https-only": (plan) =>
    wrongOnes(
      plan,
      site,
      (resource) =>
        at(resource, "properties.httpsOnly") === true &&
        ["1.2", "1.3"].includes(textAt(resource, "properties.siteConfig.minTlsVersion")) &&
        ["1.2", "1.3"].includes(textAt(resource, "properties.siteConfig.scmMinTlsVersion")),
    ),
  "app-takes-no-ftp": (plan) =>
    wrongOnes(plan, site, (resource) => at(resource, "properties.siteConfig.ftpsState") === "Disabled"),
  "publishing-credentials-off": (plan) => {
    const policies = resourcesOf(plan, `${site}/basicPublishingCredentialsPolicies`)
    return ["ftp", "scm"].filter(
      (name) =>
        !policies.some(
          (policy) => policy.name.endsWith(`/${name}`) && at(policy, "properties.allow") === false,
        ),
    )
  },
  // Open only for one range, only to deploy.
  "app-closed-to-the-world": (plan) =>
    wrongOnes(plan, site, (resource) => {
      const config = at(resource, "properties.siteConfig")
      const ranges = listAt(config, "scmIpSecurityRestrictions").map((rule) => textAt(rule, "ipAddress"))
      const denies =
        at(config, "ipSecurityRestrictionsDefaultAction") === "Deny" &&
        at(config, "scmIpSecurityRestrictionsDefaultAction") === "Deny" &&
        at(config, "scmIpSecurityRestrictionsUseMain") === false &&
        listAt(config, "ipSecurityRestrictions").length === 0
      const isOpen = at(resource, "properties.publicNetworkAccess") !== "Disabled"
      return (
        denies && isOpen === ranges.length > 0 && ranges.every((range) => /\/(2[4-9]|3[0-2])$/.test(range))
      )
    }),
  "app-in-the-network": (plan) =>
    wrongOnes(
      plan,
      site,
      (resource) =>
        textAt(resource, "properties.virtualNetworkSubnetId").includes("outputs.functionSubnetId.") &&
        at(resource, "properties.outboundVnetRouting.allTraffic") === true,
    ),
  "app-runs-node-24": (plan) =>
    wrongOnes(
      plan,
      site,
      (resource) =>
        at(resource, "properties.functionAppConfig.runtime.name") === "node" &&
        at(resource, "properties.functionAppConfig.runtime.version") === "24",
    ),
  "package-by-identity": (plan) =>
    wrongOnes(
      plan,
      site,
      (resource) =>
        at(resource, "properties.functionAppConfig.deployment.storage.authentication.type") ===
        "UserAssignedIdentity",
    ),
  "settings-hold-no-secret": (plan) =>
    Object.entries(appSettings(plan))
      .filter(([name, value]) => isSecret(name, value))
      .map(([name]) => name),
  // Without both, messages wait until somebody opens the portal:
  // https://github.com/Azure/azure-functions-host/issues/8261
  "trigger-has-its-identity": (plan) => {
    const settings = appSettings(plan)
    return [
      ...(settings["BackupServiceBus__credential"] === "managedidentity"
        ? []
        : ["BackupServiceBus__credential"]),
      ...(settings["BackupServiceBus__clientId"]?.endsWith(".backup.clientId]")
        ? []
        : ["BackupServiceBus__clientId"]),
    ]
  },
  "host-storage-by-identity": (plan) => {
    const settings = appSettings(plan)
    return [
      ...(settings["AzureWebJobsStorage__credential"] === "managedidentity"
        ? []
        : ["AzureWebJobsStorage__credential"]),
      ...(settings["AzureWebJobsStorage__clientId"]?.endsWith(".host.clientId]")
        ? []
        : ["AzureWebJobsStorage__clientId"]),
    ]
  },
  "jobs-have-their-own-identity": (plan) =>
    Object.entries(appSettings(plan))
      .filter(([name]) => /^BACKUP_\w+_CLIENT_ID$/.test(name))
      .filter(([name, value]) => {
        const job = name.split("_")[1]?.toLowerCase()
        return !value.endsWith(`.outputs.identities.value.${job}.clientId]`)
      })
      .map(([name]) => name),
  "app-in-production-mode": (plan) =>
    appSettings(plan)["BACKUP_MODE"] === "production" ? [] : ["BACKUP_MODE"],
  "pages-ask-who-you-are": (plan) =>
    wrongOnes(plan, `${site}/config`, (resource) => {
      if (!resource.name.endsWith("/authsettingsV2")) return true
      const validation = at(resource, "properties.globalValidation")
      return (
        at(validation, "requireAuthentication") === true &&
        listAt(validation, "excludedPaths").join() === "/api/health" &&
        listAt(
          resource,
          "properties.identityProviders.azureActiveDirectory.validation.defaultAuthorizationPolicy.allowedPrincipals.groups",
        ).length > 0
      )
    }),
} as const satisfies Record<string, Policy>

/** Names and values that look like a secret. The connection string of a component without local auth opens nothing. */
function isSecret(name: string, value: string): boolean {
  if (/AccountKey=|SharedAccessKey|[?&]sig=|-----BEGIN|"(d|p|q|dp|dq|qi|k)"\s*:/.test(value)) return true
  if (["BACKUP_DIGEST_KEY", "BACKUP_CANARY_SECRET", "APPLICATIONINSIGHTS_CONNECTION_STRING"].includes(name)) {
    return !/^(https:|\[reference\()/.test(value)
  }
  return /key$|secret|password|connectionstring|connection_string|^AzureWebJobsStorage$/i.test(name)
}
