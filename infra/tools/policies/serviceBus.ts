import { at, listAt, type Policy, resourcesOf, wrongOnes } from "./plan.ts"

const namespace = "Microsoft.ServiceBus/namespaces"
const queue = `${namespace}/queues`
const isQuarantine = (name: string) => name.endsWith("-quarantine")

/** The rules of the namespace and its queues. */
export const serviceBusPolicies = {
  "bus-keys-off": (plan) =>
    wrongOnes(plan, namespace, ({ properties }) => properties?.["disableLocalAuth"] === true),
  "bus-premium": (plan) => wrongOnes(plan, namespace, ({ sku }) => sku?.["tier"] === "Premium"),
  "bus-tls": (plan) =>
    wrongOnes(plan, namespace, ({ properties }) => properties?.["minimumTlsVersion"] === "1.2"),
  "bus-denies-networks": (plan) => [
    ...wrongOnes(
      plan,
      `${namespace}/networkRuleSets`,
      (resource) =>
        at(resource, "properties.defaultAction") === "Deny" &&
        listAt(resource, "properties.ipRules").length === 0 &&
        listAt(resource, "properties.virtualNetworkRules").length === 0,
    ),
    ...(resourcesOf(plan, `${namespace}/networkRuleSets`).length === resourcesOf(plan, namespace).length
      ? []
      : ["networkRuleSets"]),
  ],
  // Event Grid has no other way in, and is the only one that needs it.
  "bus-admits-event-grid": (plan) =>
    wrongOnes(
      plan,
      `${namespace}/networkRuleSets`,
      (resource) => at(resource, "properties.trustedServiceAccessEnabled") === true,
    ),
  "bus-public-access-decided": (plan) => {
    const [rules] = resourcesOf(plan, `${namespace}/networkRuleSets`)
    return wrongOnes(
      plan,
      namespace,
      ({ properties }) =>
        ["Disabled", "Enabled"].includes(String(properties?.["publicNetworkAccess"])) &&
        properties?.["publicNetworkAccess"] === at(rules, "properties.publicNetworkAccess"),
    )
  },
  "queues-are-two": (plan) => {
    const names = resourcesOf(plan, queue).map(({ name }) => name)
    const quarantined = names.filter(isQuarantine)
    return names.length === 2 && quarantined.length === 1 ? [] : names
  },
  // Event Grid cannot deliver to sessions.
  "queues-without-sessions": (plan) =>
    wrongOnes(plan, queue, ({ properties }) => properties?.["requiresSession"] === false),
  "queues-lose-nothing": (plan) =>
    wrongOnes(plan, queue, ({ properties }) => {
      const days = Number(/^P(\d+)D$/.exec(String(properties?.["defaultMessageTimeToLive"]))?.[1])
      return properties?.["deadLetteringOnMessageExpiration"] === true && days >= 14
    }),
  "queue-locks": (plan) =>
    wrongOnes(
      plan,
      queue,
      ({ name, properties }) => properties?.["lockDuration"] === (isQuarantine(name) ? "PT5M" : "PT1M"),
    ),
  "changes-delivery-count": (plan) =>
    wrongOnes(
      plan,
      queue,
      ({ name, properties }) => isQuarantine(name) || properties?.["maxDeliveryCount"] === 10,
    ),
  "quarantine-delivery-count": (plan) =>
    wrongOnes(
      plan,
      queue,
      ({ name, properties }) => !isQuarantine(name) || Number(properties?.["maxDeliveryCount"]) >= 1000,
    ),
  // As long as Event Grid repeats an event.
  "duplicate-window": (plan) =>
    wrongOnes(
      plan,
      queue,
      ({ properties }) =>
        properties?.["requiresDuplicateDetection"] === false ||
        properties?.["duplicateDetectionHistoryTimeWindow"] === "P1D",
    ),
} as const satisfies Record<string, Policy>
