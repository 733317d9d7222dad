import type { TokenCredential } from "@azure/core-auth"
import { ServiceBusClient } from "@azure/service-bus"

export interface AzureQueueOptions {
  /** `NAMESPACE.servicebus.windows.net`, or `host:port` of the local cloud. */
  readonly fullyQualifiedNamespace: string
  readonly credential: TokenCredential
}

/** A Service Bus client over TLS that gives up on a call after three tries within seconds, not minutes. */
export function createServiceBusClient(options: AzureQueueOptions): ServiceBusClient {
  return new ServiceBusClient(options.fullyQualifiedNamespace, options.credential, {
    retryOptions: { maxRetries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 2000, timeoutInMs: 20_000 },
  })
}
