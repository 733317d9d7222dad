import type { ServiceKind } from "./evidence.ts"

/** What Azure calls a service of one kind. */
interface ServiceNames {
  /** The resource's own name; the whole host where that is an address. */
  readonly name: string
  /** The private DNS zone of its private endpoint. */
  readonly zone: string
  /** The sub-resource that a private endpoint connects to. */
  readonly groupId: "vault" | "blob" | "namespace"
  /** Shell expression of its resource id. */
  readonly id: string
  readonly what: string
}

const suffixOf: Readonly<Record<ServiceNames["groupId"], string>> = {
  vault: "vault.azure.net",
  blob: "blob.core.windows.net",
  namespace: "servicebus.windows.net",
}

/**
 * Names of the service at `host`. The zone follows the host's own suffix, so that it is right in every cloud.
 *
 * Source: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
 */
export function azureNamesOf(kind: ServiceKind, host: string): ServiceNames {
  const groupId = groupOf(kind)
  const isAddress = /^[\d.]+$|^localhost$|:/.test(host)
  const name = isAddress ? host : (host.split(".")[0] ?? host)
  const suffix = isAddress ? suffixOf[groupId] : host.slice(name.length + 1)
  const zone = `privatelink.${suffix.replace(/^vault\./, "vaultcore.")}`
  const show = {
    vault: `az keyvault show --name ${name}`,
    blob: `az storage account show --name ${name}`,
    namespace: `az resource list --resource-type Microsoft.ServiceBus/namespaces --name ${name}`,
  }[groupId]
  const query = groupId === "namespace" ? "'[0].id'" : "id"
  return {
    name,
    zone,
    groupId,
    id: `"$(${show} --query ${query} --output tsv)"`,
    what: { vault: "vault", blob: "storage account", namespace: "Service Bus namespace" }[groupId],
  }
}

function groupOf(kind: ServiceKind): ServiceNames["groupId"] {
  if (kind === "vault" || kind === "digestKey") return "vault"
  return kind === "queue" ? "namespace" : "blob"
}
