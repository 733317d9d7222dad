import { at, listAt, type Policy, resourcesOf, textAt, wrongOnes } from "./plan.ts"
import { accountWith, containerOf } from "./whichAccount.ts"
import { backedUpVaults } from "./vaults.ts"

const topic = "Microsoft.EventGrid/systemTopics"
const subscription = `${topic}/eventSubscriptions`
const backedUp = [
  "Microsoft.KeyVault.CertificateNewVersionCreated",
  "Microsoft.KeyVault.SecretNewVersionCreated",
]

/** The rules of the way from a vault to the queue. */
export const eventPolicies = {
  "one-subscription-a-vault": (plan) => {
    const vaults = backedUpVaults(plan)
    return resourcesOf(plan, subscription).length === vaults.length ? [] : vaults
  },
  "two-event-types": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) =>
        listAt(resource, "properties.filter.includedEventTypes").map(String).toSorted().join() ===
        backedUp.join(),
    ),
  "no-other-filter": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) => Object.keys(Object(at(resource, "properties.filter"))).join() === "includedEventTypes",
    ),
  "cloud-events": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) => at(resource, "properties.eventDeliverySchema") === "CloudEventSchemaV1_0",
    ),
  "retries-for-a-day": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) =>
        at(resource, "properties.retryPolicy.maxDeliveryAttempts") === 30 &&
        at(resource, "properties.retryPolicy.eventTimeToLiveInMinutes") === 1440,
    ),
  // Only the identity of the topic itself passes the firewall of a destination.
  "delivers-by-system-identity": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) =>
        at(resource, "properties.destination") === undefined &&
        at(resource, "properties.deliveryWithResourceIdentity.identity.type") === "SystemAssigned" &&
        at(resource, "properties.deliveryWithResourceIdentity.destination.endpointType") ===
          "ServiceBusQueue",
    ),
  "delivers-to-the-changes": (plan) => {
    const queues = resourcesOf(plan, "Microsoft.ServiceBus/namespaces/queues")
    const changes = queues.find(({ name }) => !name.endsWith("-quarantine"))?.id
    return wrongOnes(
      plan,
      subscription,
      (resource) =>
        at(resource, "properties.deliveryWithResourceIdentity.destination.properties.resourceId") === changes,
    )
  },
  "message-id-is-event-id": (plan) =>
    wrongOnes(plan, subscription, (resource) => {
      const mappings = listAt(
        resource,
        "properties.deliveryWithResourceIdentity.destination.properties.deliveryAttributeMappings",
      )
      const [mapping] = mappings
      return (
        mappings.length === 1 &&
        at(mapping, "name") === "MessageId" &&
        at(mapping, "type") === "Dynamic" &&
        at(mapping, "properties.sourceField") === "id"
      )
    }),
  "dead-letters-by-system-identity": (plan) =>
    wrongOnes(
      plan,
      subscription,
      (resource) =>
        at(resource, "properties.deadLetterDestination") === undefined &&
        at(resource, "properties.deadLetterWithResourceIdentity.identity.type") === "SystemAssigned",
    ),
  "dead-letters-have-a-place": (plan) =>
    wrongOnes(plan, subscription, (resource) => {
      const destination = at(
        resource,
        "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties",
      )
      return (
        at(destination, "blobContainerName") === containerOf.deadLetters &&
        at(destination, "resourceId") === accountWith(plan, containerOf.deadLetters)?.id
      )
    }),
  "topics-of-vaults": (plan) =>
    wrongOnes(
      plan,
      topic,
      (resource) =>
        at(resource, "properties.topicType") === "Microsoft.KeyVault.vaults" &&
        backedUpVaults(plan).includes(textAt(resource, "properties.source").split("/").at(-1) ?? ""),
    ),
  "topics-have-system-identity": (plan) =>
    wrongOnes(plan, topic, ({ identity }) => identity?.type === "SystemAssigned"),
} as const satisfies Record<string, Policy>
