import { at, listAt, type Policy, resourcesOf, textAt, wrongOnes } from "./plan.ts"

const workspace = "Microsoft.OperationalInsights/workspaces"
const component = "Microsoft.Insights/components"
const logRule = "Microsoft.Insights/scheduledQueryRules"
const metricRule = "Microsoft.Insights/metricAlerts"

const logAlerts = [
  "oldest-unprotected",
  "dead-letters",
  "quarantine",
  "deferred",
  "backlog-unknown",
  "nobody-looks",
  "not-protected",
  "replay-failed",
  "missing-versions",
  "reconcile-incomplete",
  "digest-failed",
  "paused",
  "telemetry-failed",
  "failures",
  "not-immutable",
  "digest-silent",
]
const canaryAlerts = ["canary-late", "canary-failed", "canary-old", "no-canary"]

/** The rules of telemetry and alerts. */
export const monitoringPolicies = {
  "telemetry-keys-off": (plan) => [
    ...wrongOnes(
      plan,
      workspace,
      (resource) => at(resource, "properties.features.disableLocalAuth") === true,
    ),
    ...wrongOnes(plan, component, (resource) => at(resource, "properties.DisableLocalAuth") === true),
  ],
  "telemetry-stays-private": (plan) => {
    const [scope] = resourcesOf(plan, "Microsoft.Insights/privateLinkScopes")
    if (!scope) return []
    const isOpen = (resource: unknown) =>
      at(resource, "properties.publicNetworkAccessForIngestion") !== "Disabled"
    const linked = new Set(
      resourcesOf(plan, "Microsoft.Insights/privateLinkScopes/scopedResources").map((link) =>
        textAt(link, "properties.linkedResourceId"),
      ),
    )
    return [
      ...[...resourcesOf(plan, workspace), ...resourcesOf(plan, component)]
        .filter((resource) => isOpen(resource) || !linked.has(resource.id))
        .map(({ name }) => name),
      ...(at(scope, "properties.accessModeSettings.ingestionAccessMode") === "PrivateOnly"
        ? []
        : [scope.name]),
    ]
  },
  "log-alerts-are-there": (plan) => {
    const names = resourcesOf(plan, logRule)
      .filter((rule) => at(rule, "properties.enabled") === true)
      .map(({ name }) => name)
    const settings = resourcesOf(plan, "Microsoft.Web/sites/config").find(({ name }) =>
      name.endsWith("/appsettings"),
    )
    const hasCanary = textAt(settings, "properties.BACKUP_CANARY_SECRET") !== ""
    return [...logAlerts, ...(hasCanary ? canaryAlerts : [])].filter(
      (wanted) => !names.some((name) => name.startsWith(`${wanted}-kvb-`)),
    )
  },
  "queue-alerts-are-there": (plan) => {
    const watched = new Set(
      resourcesOf(plan, metricRule).flatMap((rule) =>
        listAt(rule, "properties.criteria.allOf").flatMap((criterion) =>
          listAt(criterion, "dimensions").flatMap((dimension) =>
            listAt(dimension, "values").map((queue) => `${textAt(criterion, "metricName")} ${String(queue)}`),
          ),
        ),
      ),
    )
    return [
      "DeadletteredMessages keyvault-changes",
      "DeadletteredMessages keyvault-changes-quarantine",
      "ActiveMessages keyvault-changes-quarantine",
    ].filter((wanted) => !watched.has(wanted))
  },
  "event-grid-alerts-are-there": (plan) => {
    const topics = resourcesOf(plan, "Microsoft.EventGrid/systemTopics/eventSubscriptions").map(
      ({ id }) => id.split("/eventSubscriptions/")[0] ?? "",
    )
    const watched = new Set(
      resourcesOf(plan, metricRule).flatMap((rule) =>
        listAt(rule, "properties.criteria.allOf").map(
          (criterion) => `${textAt(criterion, "metricName")} ${listAt(rule, "properties.scopes").join()}`,
        ),
      ),
    )
    return topics
      .flatMap((topic) => [`DeadLetteredCount ${topic}`, `DroppedEventCount ${topic}`])
      .filter((wanted) => !watched.has(wanted))
  },
  "alerts-on-anything-above-none": (plan) => [
    ...wrongOnes(plan, metricRule, (rule) =>
      listAt(rule, "properties.criteria.allOf").every((criterion) => at(criterion, "threshold") === 0),
    ),
    ...wrongOnes(plan, logRule, (rule) =>
      listAt(rule, "properties.criteria.allOf").every((criterion) => at(criterion, "threshold") === 0),
    ),
  ],
} as const satisfies Record<string, Policy>
