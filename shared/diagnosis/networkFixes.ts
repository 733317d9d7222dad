import { azureNamesOf } from "./azureNames.ts"
import type { HopEvidence } from "./evidence.ts"
import type { Fix } from "./verdict.ts"

/** The private zone is not asked from here, or there is no private endpoint at all: its alias tells which. */
export function fixNames({ hop, names }: HopEvidence): Fix {
  const { name, zone, groupId, id, what } = azureNamesOf(hop.kind, hop.host)
  const hasEndpoint = names?.kind !== "public" || names.aliases.some((alias) => alias.includes("privatelink"))
  if (hasEndpoint) {
    return {
      what: `Link the private DNS zone ${zone} to the virtual network this runs in, and see that the zone holds one record for ${name}, of its private endpoint.`,
      bicep: "hubDns.linksNetwork = true",
      az: [
        `az network private-dns link vnet create --resource-group ZONE_GROUP --zone-name ${zone} --name kvbackup --virtual-network NETWORK_ID --registration-enabled false`,
        `az network private-dns record-set a show --resource-group ZONE_GROUP --zone-name ${zone} --name ${name}`,
      ],
    }
  }
  return {
    what: `Give the ${what} ${name} a private endpoint in the virtual network this runs in, with its zone ${zone}: its name has no private alias yet.`,
    az: [
      `az network private-endpoint create --resource-group NETWORK_GROUP --name ${name}-endpoint --connection-name ${name} --group-id ${groupId} --private-connection-resource-id ${id} --vnet-name NETWORK --subnet endpoints`,
      `az network private-endpoint dns-zone-group create --resource-group NETWORK_GROUP --endpoint-name ${name}-endpoint --name default --zone-name ${groupId} --private-dns-zone ${zone}`,
    ],
  }
}

/** It works, but over the public side: a decision, not a fault, where a subnet is admitted. */
export function fixPublicPath(evidence: HopEvidence): Fix {
  const { what, az = [] } = fixNames(evidence)
  return {
    what: `${what} Where an admitted subnet is what you want, say so with --service-endpoints.`,
    az,
  }
}

/** Nothing answers at that port. */
export function fixPort({ hop }: HopEvidence): Fix {
  const { name } = azureNamesOf(hop.kind, hop.host)
  return {
    what: `Let this subnet reach port ${hop.port} of the private endpoint of ${name}: a security group, a route or a firewall on the way does not.`,
    az: [
      `az network nsg rule create --resource-group NETWORK_GROUP --nsg-name SUBNET_RULES --name allow-endpoints --priority 100 --direction Outbound --access Allow --protocol Tcp --destination-address-prefixes ENDPOINT_PREFIX --destination-port-ranges ${hop.port}`,
    ],
  }
}

/** The network rules of the service refuse this caller's way. */
export function fixFirewall({ hop }: HopEvidence): Fix {
  const { name, groupId, id, what } = azureNamesOf(hop.kind, hop.host)
  const admit = {
    vault: `az keyvault network-rule add --name ${name} --subnet SUBNET_ID`,
    blob: `az storage account network-rule add --account-name ${name} --subnet SUBNET_ID`,
    namespace: `az servicebus namespace network-rule-set virtual-network-rule add --resource-group RESOURCE_GROUP --namespace-name ${name} --subnet SUBNET_ID`,
  }[groupId]
  return {
    what: `Let this subnet in, and nobody else: approve the private endpoint connection of the ${what} ${name}, or, without a private endpoint, admit this one subnet in its network rules. Roles are not the cause, and no exception for trusted services helps: a function app is none.`,
    az: [
      `az network private-endpoint-connection list --id ${id} --output table`,
      `az network private-endpoint-connection approve --id CONNECTION_ID --description kvbackup`,
      admit,
    ],
  }
}

/** Whoever ends the TLS session is not the service. */
export function fixCertificate({ hop, connection }: HopEvidence): Fix {
  const issuer = connection?.tls?.issuer
  return {
    what:
      `Take ${hop.host} out of TLS inspection on the way from this subnet` +
      (issuer === undefined ? "." : `: the certificate shown is issued by "${issuer}".`) +
      " Do not turn certificate checks off: tokens would go to whoever reads along.",
  }
}
