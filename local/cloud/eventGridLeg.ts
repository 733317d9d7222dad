import { BlobServiceClient } from "@azure/storage-blob"
import { ServiceBusClient } from "@azure/service-bus"
import type { Audience, TokenAuthority } from "../access/tokenAuthority.ts"
import { eventResourceIds } from "../arm/eventResources.ts"
import type { DeliveryFailure } from "../eventGrid/deliveryFailure.ts"
import { createEventGridRelay, type RelayCounts } from "../eventGrid/relay.ts"
import { type AdjustableRelayClock, createRelayClock } from "../eventGrid/relayClock.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import type { VaultChange } from "../keyVault/vaultChange.ts"
import type { RunningServiceBus } from "../serviceBus/startServiceBus.ts"
import type { RoleScopes } from "./defaultRoles.ts"

export interface EventGridLegOptions {
  readonly authority: TokenAuthority
  readonly faults: FaultBook
  readonly serviceBus: RunningServiceBus
  readonly blobUrl: string
  readonly scopes: RoleScopes
  readonly log: (line: string) => void
}

/** The way of an event from the vault to the queue, walked with the identity of the system topic. */
export interface EventGridLeg {
  readonly publish: (change: VaultChange) => void
  /**
   * Publishes once more what was last published about this version, as an at-least-once service may.
   *
   * @throws TypeError when nothing was.
   */
  readonly repeat: (id: string) => void
  /** Publishes any JSON object as an event. */
  readonly publishRaw: (event: object) => void
  readonly clock: AdjustableRelayClock
  /** The `properties` of the event subscription, as the management plane tells them. */
  readonly description: Readonly<Record<string, unknown>>
  readonly counts: () => RelayCounts
  readonly pending: () => number
  readonly stop: () => Promise<void>
}

/** How many versions back an event can be repeated. */
const remembered = 10_000

const subscription = { name: "keyvault-changes", schema: "EventGridSchema" } as const

/** Opens the relay with a real Service Bus sender behind it, and blobs for what cannot be delivered. */
export async function openEventGridLeg(options: EventGridLegOptions): Promise<EventGridLeg> {
  const { authority, faults, serviceBus, scopes } = options
  const credential = (audience: Audience) => ({
    getToken: async () => ({
      token: await authority.issue("eventgrid", audience),
      expiresOnTimestamp: Date.now() + 86_400_000,
    }),
  })
  const client = new ServiceBusClient(serviceBus.fullyQualifiedNamespace, credential("serviceBus"), {
    retryOptions: { maxRetries: 0, timeoutInMs: 10_000 },
  })
  const sender = client.createSender(scopes.queue)
  const deadLetters = new BlobServiceClient(options.blobUrl, credential("blob")).getContainerClient(
    scopes.deadLetterContainer,
  )
  const clock = createRelayClock()
  const relay = createEventGridRelay({
    subscription,
    clock,
    faults,
    log: options.log,
    deliver: async (message) => {
      try {
        await sender.sendMessages({ ...message, contentType: "application/json; charset=utf-8" })
      } catch (error) {
        throw toFailure(error)
      }
    },
    deadLetter: async (path, body) => {
      await deadLetters.getBlockBlobClient(path).upload(body, body.length)
    },
  })
  const changes = new Map<string, VaultChange>()
  return {
    publish: (change) => {
      changes.set(change.id.toLowerCase(), change)
      const [oldest] = changes.keys()
      if (changes.size > remembered && oldest !== undefined) changes.delete(oldest)
      relay.publishChange(change)
    },
    repeat: (id) => {
      const change = changes.get(id.toLowerCase())
      if (!change) throw new TypeError("No event of this version is known")
      relay.publishChange(change)
    },
    publishRaw: (event) => relay.publish(event),
    clock,
    description: {
      provisioningState: "Succeeded",
      eventDeliverySchema: subscription.schema,
      deliveryWithResourceIdentity: {
        identity: { type: "SystemAssigned" },
        destination: {
          endpointType: "ServiceBusQueue",
          properties: { resourceId: eventResourceIds.queue(scopes.queue) },
        },
      },
      deadLetterWithResourceIdentity: {
        identity: { type: "SystemAssigned" },
        deadLetterDestination: {
          endpointType: "StorageBlob",
          properties: {
            resourceId: eventResourceIds.deadLetterAccount,
            blobContainerName: scopes.deadLetterContainer,
          },
        },
      },
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
      filter: {},
    },
    counts: () => relay.counts(),
    pending: () => relay.pending(),
    stop: async () => {
      relay.stop()
      await client.close()
    },
  }
}

/** The service does not publish how AMQP conditions map to outcomes; role and network refusals are not retried. */
function toFailure(error: unknown): DeliveryFailure {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined
  if (code === "UnauthorizedAccess") return { outcome: "Forbidden", httpStatus: 403 }
  if (code === "MessagingEntityNotFound") return { outcome: "NotFound", httpStatus: 404 }
  if (code === "MessageSizeExceeded") return { outcome: "PayloadTooLarge", httpStatus: 413 }
  if (code === "ServiceBusy") return { outcome: "Busy", httpStatus: 503 }
  return { outcome: "TimedOut" }
}
