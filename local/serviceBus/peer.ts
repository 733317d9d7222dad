import type { Connection } from "rhea"
import type { Caller } from "../access/tokenAuthority.ts"
import type { FaultRule } from "../faults/faultBook.ts"
import type { AmqpConnection } from "./amqpConnection.ts"
import type { Broker } from "./broker.ts"
import type { EntityPath } from "./entityPath.ts"
import { addressBlocked, type Claim, claimMissing, type ServiceBusError } from "./serviceErrors.ts"

const actions: Readonly<Record<Claim, string>> = {
  Send: "Microsoft.ServiceBus/namespaces/messages/send/action",
  Listen: "Microsoft.ServiceBus/namespaces/messages/receive/action",
}

/** A link that lives as long as its caller may use it. */
export interface WatchedLink {
  /** Closes the link when its caller has lost the right to it. */
  recheck(): void
  /** The connection has room for messages again. */
  pump(): void
  /** The connection is gone. */
  leave(): void
}

export type BusMethod = "send" | "receive" | "settle" | "cbs" | "management"

/** One client: its connection, the tokens it has shown, and its links. */
export class Peer {
  readonly broker: Broker
  readonly guarded: AmqpConnection
  /** The plain port, where the shared key of the connection string is accepted. */
  readonly isPlain: boolean
  readonly links = new Set<WatchedLink>()
  /** Who showed a token, by the path it was put for; the empty path is the namespace. */
  readonly #callers = new Map<string, Caller>()

  constructor(broker: Broker, guarded: AmqpConnection, isPlain: boolean) {
    this.broker = broker
    this.guarded = guarded
    this.isPlain = isPlain
    guarded.onRoom = () => {
      for (const link of this.links) link.pump()
    }
  }

  get connection(): Connection {
    return this.guarded.connection
  }

  putToken(path: string, caller: Caller): void {
    this.#callers.set(path, caller)
    this.guarded.markAuthenticated()
  }

  /** A token counts for the entity it was put for and for all below it. */
  callerFor(path: string): Caller | undefined {
    for (let prefix = path; ; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")))) {
      const caller = this.#callers.get(prefix)
      if (caller !== undefined || prefix === "") return caller
    }
  }

  /** Why the caller may not use the entity; undefined when it holds one of the claims. */
  refusal(entity: EntityPath, claims: readonly Claim[]): ServiceBusError | undefined {
    const { access } = this.broker
    if (access.firewall("servicebus") !== "open") return addressBlocked()
    const caller = this.callerFor(entity.path)
    const may = caller && claims.some((claim) => access.may(caller, actions[claim], entity.queue))
    return may ? undefined : claimMissing(claims, this.resource(entity.path))
  }

  /** The full name of an entity, as error messages show it. */
  resource(path: string): string {
    return `sb://${this.connection.hostname ?? "localhost"}/${path}`
  }

  /** The fault in force for a request of this client. */
  fault(method: BusMethod, path: string): FaultRule | undefined {
    const job = this.callerFor(path)?.job
    return this.broker.faults.take("servicebus", { method, path, ...(job === undefined ? {} : { job }) })
  }

  recheckLinks(): void {
    for (const link of this.links) link.recheck()
  }

  /** The connection is gone; so are its links. */
  leave(): void {
    for (const link of this.links) link.leave()
    this.links.clear()
  }
}
