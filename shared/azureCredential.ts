import type { TokenCredential } from "@azure/core-auth"
import {
  AzureCliCredential,
  CredentialUnavailableError,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from "@azure/identity"

/** Where tokens come from. There is no silent chain: exactly the named source is asked. */
export type CredentialKind = "managedIdentity" | "azureCli" | "workloadIdentity"

/** How long a token may take. The identity clients wait for ever for an endpoint that accepts and does not answer. */
const tokenTimeoutMs = 30_000

/**
 * A credential of one kind. No token within 30 seconds is an error, as a refusal is.
 *
 * @param clientId - which user-assigned identity; absent, the system-assigned one (managed identity) or the one
 * of the environment (workload identity). The Azure CLI has its own login and takes none.
 */
export function createCredential(kind: CredentialKind, clientId: string | undefined): TokenCredential {
  return withTimeout(credentialOf(kind, clientId))
}

function credentialOf(kind: CredentialKind, clientId: string | undefined): TokenCredential {
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

/** `credential`, whose `getToken` also rejects when there is no answer in time. What was asked goes on unwatched. */
export function withTimeout(credential: TokenCredential, timeoutMs = tokenTimeoutMs): TokenCredential {
  return {
    getToken: async (scopes, options) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => reject(new CredentialUnavailableError(`No token came within ${timeoutMs} ms`)),
          timeoutMs,
        )
      })
      try {
        return await Promise.race([credential.getToken(scopes, options), late])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
