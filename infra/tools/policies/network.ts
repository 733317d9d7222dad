import {
  at,
  listAt,
  type Plan,
  type PlannedResource,
  type Policy,
  resourcesOf,
  textAt,
  wrongOnes,
} from "./plan.ts"
import { accountWith, containerOf } from "./whichAccount.ts"
import { backedUpVaults } from "./vaults.ts"

const endpoint = "Microsoft.Network/privateEndpoints"
const securityGroup = "Microsoft.Network/networkSecurityGroups"

const lastWord = (id: string) => id.split("/").at(-1) ?? ""

function targetOf(resource: PlannedResource): string {
  const [connection] = listAt(resource, "properties.privateLinkServiceConnections")
  const [group] = listAt(connection, "properties.groupIds")
  return `${lastWord(textAt(connection, "properties.privateLinkServiceId"))} ${String(group)}`
}

/** What must be reachable over private endpoints, and nothing else: `NAME GROUP`. */
function expectedTargets(plan: Plan): readonly string[] {
  const name = (container: string) => accountWith(plan, container)?.name
  const vaults = new Set([
    ...backedUpVaults(plan),
    ...resourcesOf(plan, "Microsoft.KeyVault/vaults").map((vault) => vault.name),
    ...recoveryVault(plan),
  ])
  return [
    `${name(containerOf.backups)} blob`,
    `${name(containerOf.deadLetters)} blob`,
    ...["blob", "queue", "table"].map((group) => `${name(containerOf.runtime)} ${group}`),
    ...resourcesOf(plan, "Microsoft.ServiceBus/namespaces").map((bus) => `${bus.name} namespace`),
    ...resourcesOf(plan, "Microsoft.Web/sites").map((site) => `${site.name} sites`),
    ...resourcesOf(plan, "Microsoft.Insights/privateLinkScopes").map((scope) => `${scope.name} azuremonitor`),
    ...[...vaults].map((vault) => `${vault} vault`),
  ].toSorted()
}

function recoveryVault(plan: Plan): readonly string[] {
  const settings = resourcesOf(plan, "Microsoft.Web/sites/config").find(({ name }) =>
    name.endsWith("/appsettings"),
  )
  const host = URL.parse(textAt(settings, "properties.BACKUP_DIGEST_KEY"))?.hostname
  return host === undefined ? [] : [host.split(".")[0] ?? ""]
}

/** Begins of the names of the zones that an endpoint's names belong in. */
const zonesOf: Readonly<Record<string, readonly string[]>> = {
  blob: ["privatelink.blob."],
  queue: ["privatelink.queue."],
  table: ["privatelink.table."],
  namespace: ["privatelink.servicebus."],
  vault: ["privatelink.vaultcore."],
  sites: ["privatelink.azurewebsites."],
  azuremonitor: [
    "privatelink.monitor.",
    "privatelink.oms.",
    "privatelink.ods.",
    "privatelink.agentsvc.",
    "privatelink.blob.",
  ],
}

function subnetOf(plan: Plan, name: string): unknown {
  const [network] = resourcesOf(plan, "Microsoft.Network/virtualNetworks")
  return listAt(network, "properties.subnets").find((subnet) => textAt(subnet, "name") === name)
}

const rulesOf = (plan: Plan, ending: string) =>
  resourcesOf(plan, securityGroup)
    .filter(({ name }) => name.endsWith(ending))
    .flatMap((group) => listAt(group, "properties.securityRules"))

/** The rules of the network, its endpoints and their names. */
export const networkPolicies = {
  "endpoints-exactly": (plan) => {
    const targets = resourcesOf(plan, endpoint).map(targetOf).toSorted()
    const expected = expectedTargets(plan)
    const missing = expected.filter((target) => !targets.includes(target))
    const surplus = targets.filter((target) => !expected.includes(target))
    return [...missing.map((target) => `missing ${target}`), ...surplus.map((target) => `surplus ${target}`)]
  },
  "endpoints-in-their-subnet": (plan) =>
    wrongOnes(plan, endpoint, (resource) =>
      textAt(resource, "properties.subnet.id").includes("outputs.endpointSubnetId."),
    ),
  "endpoints-have-names": (plan) => {
    const groups = resourcesOf(plan, `${endpoint}/privateDnsZoneGroups`)
    return wrongOnes(plan, endpoint, (resource) => {
      const own = groups.find(({ name }) => name === `${resource.name}/default`)
      const zones = listAt(own, "properties.privateDnsZoneConfigs").map((config) =>
        lastWord(textAt(config, "properties.privateDnsZoneId")),
      )
      const wanted = zonesOf[targetOf(resource).split(" ")[1] ?? ""] ?? []
      return (
        zones.length === wanted.length &&
        wanted.every((begin) => zones.some((zone) => zone.startsWith(begin)))
      )
    })
  },
  "zones-are-linked": (plan) => {
    const links = resourcesOf(plan, "Microsoft.Network/privateDnsZones/virtualNetworkLinks").filter(
      (link) =>
        at(link, "properties.registrationEnabled") === false &&
        textAt(link, "properties.virtualNetwork.id").includes("outputs.networkId."),
    )
    const used = resourcesOf(plan, `${endpoint}/privateDnsZoneGroups`).flatMap((group) =>
      listAt(group, "properties.privateDnsZoneConfigs").map((config) =>
        textAt(config, "properties.privateDnsZoneId"),
      ),
    )
    return [...new Set(used)]
      .filter((zone) => !links.some(({ id }) => id.startsWith(`${zone}/`)))
      .map(lastWord)
  },
  "app-subnet-is-its-own": (plan) => {
    const delegations = listAt(subnetOf(plan, "function"), "properties.delegations").map((delegation) =>
      textAt(delegation, "properties.serviceName"),
    )
    const others = listAt(subnetOf(plan, "endpoints"), "properties.delegations")
    return delegations.join() === "Microsoft.App/environments" && others.length === 0 ? [] : ["function"]
  },
  "subnets-have-no-default-way-out": (plan) =>
    ["function", "endpoints"].filter(
      (name) => at(subnetOf(plan, name), "properties.defaultOutboundAccess") !== false,
    ),
  "subnets-have-rules": (plan) => [
    ...["function", "endpoints"].filter(
      (name) => !textAt(subnetOf(plan, name), "properties.networkSecurityGroup.id").endsWith(`-${name}`),
    ),
    ...(at(subnetOf(plan, "endpoints"), "properties.privateEndpointNetworkPolicies") === "Enabled"
      ? []
      : ["privateEndpointNetworkPolicies"]),
  ],
  "endpoints-admit-the-network-alone": (plan) => {
    const rules = rulesOf(plan, "-endpoints")
    const admitted = rules.filter((rule) => at(rule, "properties.access") === "Allow")
    const closes = rules.some(
      (rule) =>
        at(rule, "properties.access") === "Deny" &&
        at(rule, "properties.direction") === "Inbound" &&
        at(rule, "properties.sourceAddressPrefix") === "*",
    )
    const wrong = admitted.filter((rule) => at(rule, "properties.sourceAddressPrefix") !== "VirtualNetwork")
    return [...wrong.map((rule) => textAt(rule, "name")), ...(closes ? [] : ["deny-rest-in"])]
  },
  // privateLink: nothing leaves. natGateway, firewall: https, by one way that is named.
  "egress-is-decided": (plan) => {
    const rules = rulesOf(plan, "-function")
    const denies = rules.some(
      (rule) =>
        at(rule, "properties.access") === "Deny" &&
        at(rule, "properties.destinationAddressPrefix") === "Internet" &&
        at(rule, "properties.destinationPortRange") === "*",
    )
    const internet = rules.filter(
      (rule) =>
        at(rule, "properties.access") === "Allow" &&
        at(rule, "properties.destinationAddressPrefix") === "Internet",
    )
    const isPrivate = resourcesOf(plan, "Microsoft.Insights/privateLinkScopes").length === 1
    const subnet = subnetOf(plan, "function")
    const ways = [at(subnet, "properties.natGateway"), at(subnet, "properties.routeTable")].filter(Boolean)
    const fits = isPrivate
      ? internet.length === 0 && ways.length === 0
      : internet.length === 1 &&
        at(internet[0], "properties.destinationPortRange") === "443" &&
        ways.length === 1
    return denies && fits ? [] : ["function"]
  },
} as const satisfies Record<string, Policy>
