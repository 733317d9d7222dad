import { listAt, memberAt, textAt } from "../armAnswer.ts"
import { firewallsOf } from "./networkRules.ts"
import { finding, isExpression, isNamed, namespaceType, ofType, type PlanRule } from "./planFinding.ts"

const endpointType = "microsoft.network/privateendpoints"
const zoneType = "microsoft.network/privatednszones"

/** A zone that no network is linked to is asked by nobody: the name leads to the public address, and nothing says so. */
const unlinkedZones: PlanRule = (plan) => {
  const links = ofType(plan, `${zoneType}/virtualnetworklinks`).map(({ name }) => name.toLowerCase())
  return ofType(plan, zoneType)
    .filter(({ name }) => !links.some((link) => link.startsWith(`${name.toLowerCase()}/`)))
    .map((zone) =>
      finding(
        "zone-link-missing",
        zone,
        "is linked to no network: its names lead to public addresses there",
        {
          what: `Link ${zone.name} to the network of the app.`,
          bicep: "hubDns.linksNetwork = true",
          az: [
            `az network private-dns link vnet create --resource-group RESOURCE_GROUP --zone-name ${zone.name} --name kvbackup --virtual-network NETWORK_ID --registration-enabled false`,
          ],
        },
      ),
    )
}

/** Sub-resource of an endpoint, and how the name of its zone goes on after `privatelink.`. */
const zoneOfGroup: Readonly<Record<string, string>> = {
  vault: "vaultcore.",
  blob: "blob.",
  queue: "queue.",
  table: "table.",
  file: "file.",
  namespace: "servicebus.",
}

const namelessEndpoints: PlanRule = (plan) => {
  const groups = ofType(plan, `${endpointType}/privatednszonegroups`)
  return ofType(plan, endpointType).flatMap((endpoint) => {
    const zones = groups
      .filter(({ name }) => name.toLowerCase().startsWith(`${endpoint.name.toLowerCase()}/`))
      .flatMap(({ properties }) => listAt(properties, "privateDnsZoneConfigs"))
      .map((config) => textAt(memberAt(config, "properties"), "privateDnsZoneId").split("/").at(-1) ?? "")
    const wanted = connectionsOf(endpoint.properties)
      .flatMap(({ groupIds }) => groupIds)
      .map((groupId) => zoneOfGroup[groupId])
      .filter((zone) => zone !== undefined)
    const isRight = wanted.every((zone) =>
      zones.some((name) => isExpression(name) || name.toLowerCase().startsWith(`privatelink.${zone}`)),
    )
    if (isRight && (zones.length > 0 || wanted.length === 0)) return []
    const zone = `privatelink.${wanted[0] ?? ""}…`
    return [
      finding("zone-group-missing", endpoint, `writes its name into no zone ${zone}: nobody finds it`, {
        what: `Give ${endpoint.name} a zone group with its zone.`,
        az: [
          `az network private-endpoint dns-zone-group create --resource-group RESOURCE_GROUP --endpoint-name ${endpoint.name} --name default --zone-name default --private-dns-zone ZONE_ID`,
        ],
      }),
    ]
  })
}

const unreachable: PlanRule = (plan) => {
  const targets = ofType(plan, endpointType).flatMap(({ properties }) => connectionsOf(properties))
  if (targets.some(({ id }) => isExpression(id))) return []
  return firewallsOf(plan)
    .filter(
      ({ publicAccess, resource }) =>
        publicAccess === "Disabled" && !targets.some(({ id }) => isNamed(id, resource)),
    )
    .map(({ resource }) =>
      finding(
        "endpoint-missing",
        resource,
        "has public access off and no private endpoint: nobody reaches it",
        {
          what: `Give ${resource.name} a private endpoint in the network of the app.`,
        },
      ),
    )
}

const notPremium: PlanRule = (plan) =>
  ofType(plan, namespaceType)
    .filter(({ sku }) => textAt(sku, "name") !== "Premium" && !isExpression(textAt(sku, "name")))
    .map((namespace) =>
      finding("namespace-not-premium", namespace, "cannot have a private endpoint below the Premium tier", {
        what: "Make a namespace of the Premium tier; one of another tier cannot become one.",
      }),
    )

function connectionsOf(
  properties: unknown,
): readonly { readonly id: string; readonly groupIds: readonly string[] }[] {
  const lists = ["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"]
  return lists
    .flatMap((name) => listAt(properties, name))
    .map((connection) => {
      const said = memberAt(connection, "properties")
      return { id: textAt(said, "privateLinkServiceId"), groupIds: listAt(said, "groupIds").map(String) }
    })
}

export const endpointRules: readonly PlanRule[] = [unlinkedZones, namelessEndpoints, unreachable, notPremium]
