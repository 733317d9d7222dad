import tls from "node:tls"
import { ServiceBusClient } from "@azure/service-bus"
import { type AccessControl, createAccessControl } from "../../../local/access/accessControl.ts"
import type { Job } from "../../../local/access/job.ts"
import {
  newTokenAuthorityState,
  openTokenAuthority,
  type TokenAuthority,
} from "../../../local/access/tokenAuthority.ts"
import { createFaultBook, type FaultBook } from "../../../local/faults/faultBook.ts"
import {
  type RunningServiceBus,
  type ServiceBusOptions,
  startServiceBus,
} from "../../../local/serviceBus/startServiceBus.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

export type Client = ServiceBusClient
export type Listener = "tls" | "plain"
export const listeners: readonly Listener[] = ["tls", "plain"]

export interface ABus {
  readonly bus: RunningServiceBus
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly logged: string[]
  /** A client that does not retry; closed with the bus. */
  client(listener?: Listener, job?: Job): Client
  [Symbol.asyncDispose](): Promise<void>
}

const certificates = createCertificateAuthority()
export const send = "Microsoft.ServiceBus/namespaces/messages/send/action"
export const receive = "Microsoft.ServiceBus/namespaces/messages/receive/action"

/** A running broker with the queues `q` (short locks) and `other`, whose certificate this process trusts. */
export async function aBus(options: Partial<ServiceBusOptions> = {}): Promise<ABus> {
  const ca = await certificates
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), ca.caPem])
  const authority = openTokenAuthority(newTokenAuthorityState())
  const access = createAccessControl({ user: ["*"], backup: [send, receive] })
  const faults = createFaultBook()
  const logged: string[] = []
  const bus = await startServiceBus({
    authority,
    access,
    faults,
    tls: await ca.issue([]),
    queues: [
      { name: "q", lockDurationMs: 60_000, maxDeliveryCount: 3 },
      { name: "Other", lockDurationMs: 60_000, maxDeliveryCount: 10 },
    ],
    log: (line) => logged.push(line),
    ...options,
  })
  const clients: Client[] = []
  return {
    bus,
    authority,
    access,
    faults,
    logged,
    client: (listener = "plain", job = "user") => {
      const retryOptions = { maxRetries: 0, timeoutInMs: 2000 }
      const credential = {
        getToken: async () => ({
          token: await authority.issue(job, "serviceBus"),
          expiresOnTimestamp: Date.now() + 3_600_000,
        }),
      }
      const client =
        listener === "plain"
          ? new ServiceBusClient(bus.connectionString, { retryOptions })
          : new ServiceBusClient(bus.fullyQualifiedNamespace, credential, { retryOptions })
      clients.push(client)
      return client
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.close()))
      await bus.stop()
    },
  }
}

/** Resolves when `holds` does; fails after `withinMs`. */
export async function until(holds: () => boolean, withinMs = 3000): Promise<void> {
  const endMs = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > endMs) throw new Error("it did not happen in time")
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
