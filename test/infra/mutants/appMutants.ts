import { one, set, remove, change, type Mutant } from "./mutant.ts"
import { site, settings } from "./resourceTypes.ts"

export const appMutants: readonly Mutant[] = [
  {
    breaks: "app-has-its-identities",
    change: "one identity for everything",
    mutate: (plan) => {
      const { identity } = one(plan, site)
      identity!.userAssignedIdentities = Object.fromEntries(
        Object.entries(identity!.userAssignedIdentities!).slice(0, 1),
      )
    },
  },
  {
    breaks: "app-is-tagged-for-azd",
    change: "azd does not find the app",
    mutate: (plan) => set(one(plan, site), "tags.azd-service-name", "web"),
  },
  { breaks: "app-https-only", change: "http", mutate: change(site, "", "properties.httpsOnly", false) },
  {
    breaks: "app-takes-no-ftp",
    change: "FTP",
    mutate: change(site, "", "properties.siteConfig.ftpsState", "AllAllowed"),
  },
  {
    breaks: "publishing-credentials-off",
    change: "a password may deploy",
    mutate: change(`${site}/basicPublishingCredentialsPolicies`, "scm", "properties.allow", true),
  },
  {
    breaks: "app-closed-to-the-world",
    change: "the app is public",
    mutate: change(site, "", "properties.publicNetworkAccess", "Enabled"),
  },
  {
    breaks: "app-closed-to-the-world",
    change: "everybody may deploy",
    plan: "minimal",
    mutate: change(site, "", "properties.siteConfig.scmIpSecurityRestrictions.0.ipAddress", "0.0.0.0/0"),
  },
  {
    breaks: "app-closed-to-the-world",
    change: "the app itself is open beside the deployer",
    plan: "minimal",
    mutate: change(site, "", "properties.siteConfig.ipSecurityRestrictionsDefaultAction", "Allow"),
  },
  {
    breaks: "app-in-the-network",
    change: "calls leave beside the network",
    mutate: change(site, "", "properties.outboundVnetRouting.allTraffic", false),
  },
  {
    breaks: "app-runs-node-24",
    change: "another Node",
    mutate: change(site, "", "properties.functionAppConfig.runtime.version", "20"),
  },
  {
    breaks: "package-by-identity",
    change: "the package is fetched by a connection string",
    mutate: change(
      site,
      "",
      "properties.functionAppConfig.deployment.storage.authentication.type",
      "StorageAccountConnectionString",
    ),
  },
  {
    breaks: "settings-hold-no-secret",
    change: "an account key in a setting",
    mutate: change(
      settings,
      "appsettings",
      "properties.BACKUP_STORE_URL",
      "https://x.blob.core.windows.net?sig=abc",
    ),
  },
  {
    breaks: "settings-hold-no-secret",
    change: "a private key among the recipients",
    mutate: change(
      settings,
      "appsettings",
      "properties.BACKUP_RECIPIENTS",
      '{"keys":[{"kty":"EC","d":"abc"}]}',
    ),
  },
  {
    breaks: "settings-hold-no-secret",
    change: "the host's storage by connection string",
    mutate: change(settings, "appsettings", "properties.AzureWebJobsStorage", "UseDevelopmentStorage=true"),
  },
  {
    breaks: "trigger-has-its-identity",
    change: "C63 no client id for the trigger",
    mutate: change(settings, "appsettings", "properties.BackupServiceBus__clientId", undefined),
  },
  {
    breaks: "trigger-has-its-identity",
    change: "C63 no credential for the trigger",
    mutate: change(settings, "appsettings", "properties.BackupServiceBus__credential", undefined),
  },
  {
    breaks: "host-storage-by-identity",
    change: "the host has no client id",
    mutate: change(settings, "appsettings", "properties.AzureWebJobsStorage__clientId", undefined),
  },
  {
    breaks: "jobs-have-their-own-identity",
    change: "audit runs as backup",
    mutate: (plan) => {
      const own = one(plan, settings, "appsettings").properties!
      own["BACKUP_AUDIT_CLIENT_ID"] = own["BACKUP_BACKUP_CLIENT_ID"]
    },
  },
  {
    breaks: "app-in-production-mode",
    change: "development mode",
    mutate: change(settings, "appsettings", "properties.BACKUP_MODE", "development"),
  },
  {
    breaks: "pages-ask-who-you-are",
    change: "pages for everybody",
    plan: "hubDns",
    mutate: change(settings, "authsettingsV2", "properties.globalValidation.requireAuthentication", false),
  },
  {
    breaks: "pages-ask-who-you-are",
    change: "pages for the whole tenant",
    plan: "hubDns",
    mutate: change(
      settings,
      "authsettingsV2",
      "properties.identityProviders.azureActiveDirectory.validation.defaultAuthorizationPolicy.allowedPrincipals.groups",
      [],
    ),
  },

  {
    breaks: "telemetry-keys-off",
    change: "an instrumentation key is enough",
    mutate: change("Microsoft.Insights/components", "", "properties.DisableLocalAuth", false),
  },
  {
    breaks: "telemetry-stays-private",
    change: "telemetry comes in from everywhere",
    mutate: change(
      "Microsoft.Insights/components",
      "",
      "properties.publicNetworkAccessForIngestion",
      "Enabled",
    ),
  },
  {
    breaks: "log-alerts-are-there",
    change: "nobody notices silence",
    mutate: (plan) => remove(plan, one(plan, "Microsoft.Insights/scheduledQueryRules", "no-canary")),
  },
  {
    breaks: "log-alerts-are-there",
    change: "an alert is switched off",
    mutate: change("Microsoft.Insights/scheduledQueryRules", "not-protected", "properties.enabled", false),
  },
  {
    breaks: "queue-alerts-are-there",
    change: "nobody looks at the dead letters of the queue",
    mutate: (plan) => remove(plan, one(plan, "Microsoft.Insights/metricAlerts", "queue-dead-letters")),
  },
  {
    breaks: "event-grid-alerts-are-there",
    change: "nobody looks at the dead letters of Event Grid",
    mutate: (plan) => remove(plan, one(plan, "Microsoft.Insights/metricAlerts", "event-grid-dead-letters")),
  },
  {
    breaks: "alerts-on-anything-above-none",
    change: "ten dead letters are fine",
    mutate: change(
      "Microsoft.Insights/metricAlerts",
      "queue-dead-letters",
      "properties.criteria.allOf.0.threshold",
      10,
    ),
  },
]
