import type { TokenCredential } from "@azure/core-auth"
import { AzureCliCredential, ManagedIdentityCredential, WorkloadIdentityCredential } from "@azure/identity"

/** Where tokens come from. There is no silent chain: exactly the named source is asked. */
export type CredentialKind = "managedIdentity" | "azureCli" | "workloadIdentity"

/**
 * A credential of one kind.
 *
 * @param clientId - which user-assigned identity; absent, the system-assigned one (managed identity) or the one
 * of the environment (workload identity). The Azure CLI has its own login and takes none.
 */
export function createCredential(kind: CredentialKind, clientId: string | undefined): TokenCredential {
  switch (kind) {
    case "managedIdentity":
      return clientId === undefined
        ? new ManagedIdentityCredential()
        : new ManagedIdentityCredential({ clientId })
    case "azureCli":
      return new AzureCliCredential()
    case "workloadIdentity":
      return new WorkloadIdentityCredential(clientId === undefined ? {} : { clientId })
  }
}
