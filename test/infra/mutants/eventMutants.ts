import { at } from "../../../infra/tools/policies/plan.ts"
import { one, set, remove, change, deadLetters, type Mutant } from "./mutant.ts"
import { bus, topic, subscription, endpoint, network, rules } from "./resourceTypes.ts"

export const eventMutants: readonly Mutant[] = [
  {
    breaks: "one-subscription-a-vault",
    change: "a vault is not listened to",
    plan: "severalVaults",
    mutate: (plan) => {
      const lost = one(plan, subscription, "kv-several-b")
      remove(plan, lost)
      const lists = at(deadLetters(plan), "properties.networkAcls") as {
        resourceAccessRules: { resourceId: string }[]
      }
      lists.resourceAccessRules = lists.resourceAccessRules.filter(
        ({ resourceId }) => !resourceId.endsWith("kv-several-b"),
      )
    },
  },
  {
    breaks: "two-event-types",
    change: "keys are listened to as well",
    mutate: change(subscription, "", "properties.filter.includedEventTypes", [
      "Microsoft.KeyVault.SecretNewVersionCreated",
      "Microsoft.KeyVault.CertificateNewVersionCreated",
      "Microsoft.KeyVault.KeyNewVersionCreated",
    ]),
  },
  {
    breaks: "two-event-types",
    change: "every event is taken",
    mutate: change(subscription, "", "properties.filter.includedEventTypes", []),
  },
  {
    breaks: "no-other-filter",
    change: "a prefix leaves secrets out",
    mutate: change(subscription, "", "properties.filter.subjectBeginsWith", "prod-"),
  },
  {
    breaks: "cloud-events",
    change: "another schema",
    mutate: change(subscription, "", "properties.eventDeliverySchema", "EventGridSchema"),
  },
  {
    breaks: "retries-for-a-day",
    change: "three attempts",
    mutate: change(subscription, "", "properties.retryPolicy.maxDeliveryAttempts", 3),
  },
  {
    breaks: "delivers-by-system-identity",
    change: "a user-assigned identity, which firewalls refuse",
    mutate: change(subscription, "", "properties.deliveryWithResourceIdentity.identity.type", "UserAssigned"),
  },
  {
    breaks: "delivers-by-system-identity",
    change: "a destination without identity beside it",
    mutate: change(subscription, "", "properties.destination", {}),
  },
  {
    breaks: "delivers-to-the-changes",
    change: "events go straight to quarantine",
    mutate: (plan) =>
      set(
        one(plan, subscription),
        "properties.deliveryWithResourceIdentity.destination.properties.resourceId",
        one(plan, `${bus}/queues`, "quarantine").id,
      ),
  },
  {
    breaks: "message-id-is-event-id",
    change: "no mapping",
    mutate: change(
      subscription,
      "",
      "properties.deliveryWithResourceIdentity.destination.properties.deliveryAttributeMappings",
      [],
    ),
  },
  {
    breaks: "dead-letters-by-system-identity",
    change: "C13 dead letters without identity",
    mutate: change(
      subscription,
      "",
      "properties.deadLetterWithResourceIdentity.identity.type",
      "UserAssigned",
    ),
  },
  {
    breaks: "dead-letters-have-a-place",
    change: "C13 no dead-letter container",
    mutate: change(
      subscription,
      "",
      "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName",
      "somewhere",
    ),
  },
  {
    breaks: "topics-of-vaults",
    change: "the topic is that of another vault",
    mutate: change(
      topic,
      "",
      "properties.source",
      "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-other",
    ),
  },
  {
    breaks: "topics-have-system-identity",
    change: "a topic without identity",
    mutate: change(topic, "", "identity", { type: "None" }),
  },

  {
    breaks: "endpoints-exactly",
    change: "the queue of the host has no endpoint",
    mutate: (plan) => {
      remove(plan, one(plan, `${endpoint}/privateDnsZoneGroups`, "runtime-queue"))
      remove(plan, one(plan, endpoint, "runtime-queue"))
    },
  },
  {
    breaks: "endpoints-exactly",
    change: "one endpoint leads elsewhere",
    mutate: change(
      endpoint,
      "pe-backups",
      "properties.privateLinkServiceConnections.0.properties.privateLinkServiceId",
      "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/other",
    ),
  },
  {
    breaks: "endpoints-in-their-subnet",
    change: "an endpoint in the subnet of the app",
    mutate: change(
      endpoint,
      "pe-backups",
      "properties.subnet.id",
      "[reference('x').outputs.functionSubnetId.value]",
    ),
  },
  {
    breaks: "endpoints-have-names",
    change: "an endpoint without names",
    mutate: (plan) => remove(plan, one(plan, `${endpoint}/privateDnsZoneGroups`, "pe-service-bus")),
  },
  {
    breaks: "zones-are-linked",
    change: "C42 a zone is not linked, and the public address is found",
    mutate: (plan) =>
      remove(plan, one(plan, "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "vaultcore")),
  },
  {
    breaks: "zones-are-linked",
    change: "the network registers its machines in the zone",
    mutate: change(
      "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
      "blob",
      "properties.registrationEnabled",
      true,
    ),
  },
  {
    breaks: "app-subnet-is-its-own",
    change: "the app's subnet is not delegated",
    mutate: change(network, "", "properties.subnets.0.properties.delegations", []),
  },
  {
    breaks: "subnets-have-no-default-way-out",
    change: "a default way out",
    mutate: change(network, "", "properties.subnets.0.properties.defaultOutboundAccess", true),
  },
  {
    breaks: "subnets-have-rules",
    change: "a subnet without rules",
    mutate: change(network, "", "properties.subnets.1.properties.networkSecurityGroup", null),
  },
  {
    breaks: "subnets-have-rules",
    change: "endpoints are not subject to the rules",
    mutate: change(network, "", "properties.subnets.1.properties.privateEndpointNetworkPolicies", "Disabled"),
  },
  {
    breaks: "endpoints-admit-the-network-alone",
    change: "everybody may come to the endpoints",
    mutate: change(rules, "-endpoints", "properties.securityRules.0.properties.sourceAddressPrefix", "*"),
  },
  {
    breaks: "egress-is-decided",
    change: "the internet is open beside the private link",
    mutate: (plan) =>
      (at(one(plan, rules, "-function"), "properties.securityRules") as unknown[]).push({
        name: "out",
        properties: { access: "Allow", destinationAddressPrefix: "Internet", destinationPortRange: "443" },
      }),
  },
  {
    breaks: "egress-is-decided",
    change: "no way out at all where one is needed",
    plan: "minimal",
    mutate: change(network, "", "properties.subnets.0.properties.natGateway", null),
  },
]
