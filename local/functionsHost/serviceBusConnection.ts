import { ManagedIdentityCredential } from "@azure/identity"
import { RetryMode, ServiceBusClient, type ServiceBusClientOptions } from "@azure/service-bus"
import type { AppSettings } from "./appSettings.ts"
import type { ServiceBusSettings } from "./hostSettings.ts"

/**
 * Opens the client that a trigger's `connection` names: the setting of exactly that name (or with the prefix
 * `AzureWebJobs`) is a connection string and wins; else `<name>__fullyQualifiedNamespace` is read with a managed
 * identity, the user-assigned one of `<name>__clientId` where that is set.
 *
 * @throws Error that names the missing setting, or a kind of `<name>__credential` other than managedidentity.
 *
 * Source: https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
 */
export function openServiceBusClient(
  connection: string,
  settings: AppSettings,
  options: ServiceBusSettings,
): ServiceBusClient {
  const clientOptions = toClientOptions(options)
  const connectionString = settings[connection] ?? settings[`AzureWebJobs${connection}`]
  if (connectionString !== undefined) {
    return new ServiceBusClient(connectionString, clientOptions)
  }
  const namespace = settings[`${connection}__fullyQualifiedNamespace`]
  if (namespace === undefined) {
    throw new Error(
      `Service Bus connection '${connection}' is missing: set ${connection}__fullyQualifiedNamespace`,
    )
  }
  const kind = settings[`${connection}__credential`]
  if (kind !== undefined && kind.toLowerCase() !== "managedidentity") {
    throw new Error(`${connection}__credential must be managedidentity`)
  }
  const clientId = settings[`${connection}__clientId`]
  const credential = new ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
  return new ServiceBusClient(namespace, credential, clientOptions)
}

function toClientOptions({ retry }: ServiceBusSettings): ServiceBusClientOptions {
  return {
    retryOptions: {
      mode: retry.mode === "fixed" ? RetryMode.Fixed : RetryMode.Exponential,
      timeoutInMs: retry.tryTimeoutMs,
      retryDelayInMs: retry.delayMs,
      maxRetryDelayInMs: retry.maxDelayMs,
      maxRetries: retry.maxRetries,
    },
  }
}
