import { randomUUID } from "node:crypto"
import { ServiceBusClient, type ServiceBusMessage } from "@azure/service-bus"
import { createAccessControl } from "../../../local/access/accessControl.ts"
import { newTokenAuthorityState, openTokenAuthority } from "../../../local/access/tokenAuthority.ts"
import { createFaultBook, type FaultBook } from "../../../local/faults/faultBook.ts"
import { startIdentityEndpoint } from "../../../local/identity/startIdentityEndpoint.ts"
import type { QueueCounts } from "../../../local/serviceBus/queueEntry.ts"
import { startServiceBus } from "../../../local/serviceBus/startServiceBus.ts"
import type { FixtureApp, FixtureHost } from "./fixtureHost.ts"

/** A broker with the fixture's queues `orders`, `bytes` and `many` (locks of 1 s, 3 deliveries), and hosts on it. */
export interface FixtureBus {
  readonly faults: FaultBook
  /** Starts a host with the connection string, or with these settings in its place. */
  start(settings?: Record<string, string>): Promise<FixtureHost>
  /** Settings that connect over TLS with the managed identity of the job backup. */
  readonly identitySettings: Record<string, string>
  send(message: ServiceBusMessage | ServiceBusMessage[], queue?: string): Promise<void>
  readonly client: ServiceBusClient
  counts(queue?: string): QueueCounts
  /** Kills the hosts and stops the broker. */
  stop(): Promise<void>
}

const messages = "Microsoft.ServiceBus/namespaces/messages"

export async function startFixtureBus(app: FixtureApp): Promise<FixtureBus> {
  const authority = openTokenAuthority(newTokenAuthorityState())
  const faults = createFaultBook()
  const access = createAccessControl({
    user: ["*"],
    backup: [`${messages}/receive/action`, `${messages}/send/action`],
  })
  const identity = await startIdentityEndpoint({ authority, faults })
  const bus = await startServiceBus({
    authority,
    access,
    faults,
    tls: await app.ca.issue([]),
    queues: ["orders", "bytes", "many"].map((name) => ({ name, lockDurationMs: 1000, maxDeliveryCount: 3 })),
  })
  const client = new ServiceBusClient(bus.connectionString)
  const hosts: FixtureHost[] = []
  return {
    faults,
    client,
    identitySettings: {
      Bus__fullyQualifiedNamespace: bus.fullyQualifiedNamespace,
      Bus__credential: "managedidentity",
      Bus__clientId: authority.callers.get("backup")!.clientId,
      IDENTITY_ENDPOINT: identity.url,
      IDENTITY_HEADER: identity.header,
    },
    start: async (settings = { Bus: bus.connectionString }) => {
      const started = await app.start({
        env: { FIXTURE_QUEUE: "orders", "AzureWebJobs.disabled.Disabled": "true", ...settings },
      })
      hosts.push(started)
      return started
    },
    send: (message, queue = "orders") =>
      client
        .createSender(queue)
        .sendMessages([message].flat().map((one) => ({ messageId: randomUUID(), ...one }))),
    counts: (queue = "orders") => bus.counts()[queue]!,
    stop: async () => {
      await Promise.all(hosts.map(({ host }) => host.kill()))
      await client.close()
      await Promise.all([bus.stop(), identity.stop()])
    },
  }
}
