import { randomBytes } from "node:crypto"
import { createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { createServer as createTlsServer } from "node:tls"
import rhea from "rhea"
import type { Container } from "rhea"
import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import { listen } from "../tls/listen.ts"
import { acceptConnection, type ConnectionLimits, defaultConnectionLimits } from "./amqpConnection.ts"
import { attachLinks } from "./attachLinks.ts"
import type { Broker, Entity } from "./broker.ts"
import { openJournal } from "./journalFile.ts"
import { MessageQueue } from "./messageQueue.ts"
import { Peer } from "./peer.ts"
import type { QueueCounts, QueueSettings } from "./queueEntry.ts"
import { QueueReceivers } from "./queueReceivers.ts"

/** What the local Service Bus is made of. */
export interface ServiceBusOptions {
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  /** Server certificate and key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string }
  readonly queues: readonly QueueSettings[]
  /** TLS port; 0 or absent takes any free one. */
  readonly port?: number
  /** Port without TLS; 0 or absent takes any free one. */
  readonly plainPort?: number
  /** Base64; absent, a fresh one is made. */
  readonly sharedAccessKey?: string
  /** The largest message, 256 KB as in the Standard tier when absent. */
  readonly maxMessageBytes?: number
  /** Where queues are kept across restarts, `kill -9` included; absent, they live in memory. See `openJournal`. */
  readonly directory?: string
  readonly limits?: Partial<ConnectionLimits>
  /** Takes one line for every connection that had to be closed. */
  readonly log?: (line: string) => void
}

export interface RunningServiceBus {
  /** AMQP over TLS, for tokens. */
  readonly port: number
  /** AMQP without TLS, for the connection string. */
  readonly plainPort: number
  /** `localhost:PORT`, for a client with a token credential. */
  readonly fullyQualifiedNamespace: string
  /** For a client with `UseDevelopmentEmulator=true`; such a client counts as job `user`. */
  readonly connectionString: string
  /** By queue name as given. */
  counts(): Record<string, QueueCounts>
  /** Closes every connection, also busy ones. Safe to call again. */
  stop(): Promise<void>
}

const defaultMaxMessageBytes = 262_144
const recheckEveryMs = 200
/** For the close frames to leave before the sockets are destroyed. */
const partingMs = 20

/**
 * Starts an AMQP 1.0 broker on 127.0.0.1 that answers the Azure Service Bus clients as the service does: queues
 * with locks, dead letters, scheduling, deferral, peeking and duplicate detection. Sessions, topics, transactions
 * and the HTTP management API are not part of it.
 */
export async function startServiceBus(options: ServiceBusOptions): Promise<RunningServiceBus> {
  const { authority, access, faults, log = () => {} } = options
  const opened = options.directory === undefined ? undefined : await openJournal(options.directory)
  const entities = new Map<string, { readonly main: Entity; readonly deadLetters: Entity }>()
  for (const settings of options.queues) {
    const queue = new MessageQueue(settings, opened ? { journal: opened.journal } : {})
    queue.restore((path) => opened?.snapshots.get(path))
    if (queue.deadLetters === undefined) throw new TypeError("A queue has dead letters")
    entities.set(settings.name.toLowerCase(), {
      main: toEntity(queue),
      deadLetters: toEntity(queue.deadLetters),
    })
  }
  const broker: Broker = {
    authority,
    access,
    faults,
    log,
    sharedAccessKey: options.sharedAccessKey ?? randomBytes(32).toString("base64"),
    maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    find: ({ queue, isDeadLetters }) => entities.get(queue)?.[isDeadLetters ? "deadLetters" : "main"],
  }
  const limits = { ...defaultConnectionLimits, ...options.limits }
  const container = createContainer()
  const peers = new Set<Peer>()
  const accept = (socket: Socket, isPlain: boolean) => {
    const guarded = acceptConnection(socket, { container, limits, log, onClose: () => leave() })
    const peer = new Peer(broker, guarded, isPlain)
    const leave = () => {
      peers.delete(peer)
      peer.leave()
    }
    peers.add(peer)
    attachLinks(peer)
  }
  const recheck = setInterval(() => {
    for (const peer of peers) peer.recheckLinks()
  }, recheckEveryMs).unref()

  const plainServer = createServer((socket) => accept(socket, true))
  const tlsServer = createTlsServer({ ...options.tls, handshakeTimeout: limits.tokenWithinMs }, (socket) =>
    accept(socket, false),
  )
  const plain = await listen(plainServer, options.plainPort)
  const secure = await listen(tlsServer, options.port)
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    clearInterval(recheck)
    for (const { connection } of peers) connection.close()
    if (peers.size > 0) await sleep(partingMs)
    await Promise.all([plain.stop(), secure.stop()])
    for (const { main } of entities.values()) main.queue.stop()
    opened?.close()
  }
  return {
    port: secure.port,
    plainPort: plain.port,
    fullyQualifiedNamespace: `localhost:${secure.port}`,
    connectionString:
      `Endpoint=sb://127.0.0.1:${plain.port};SharedAccessKeyName=RootManageSharedAccessKey;` +
      `SharedAccessKey=${broker.sharedAccessKey};UseDevelopmentEmulator=true;`,
    counts: () =>
      Object.fromEntries(
        [...entities.values()].map(({ main }) => [main.queue.settings.name, main.queue.counts()]),
      ),
    stop: () => (stopped ??= stop()),
  }
}

function toEntity(queue: MessageQueue): Entity {
  return { queue, receivers: new QueueReceivers(queue) }
}

/** Every mechanism the clients offer lets in; who they are is told by tokens, later. */
function createContainer(): Container {
  const container = rhea.create_container({ id: "local-service-bus" })
  const letIn = () => ({
    outcome: undefined as boolean | undefined,
    start(): void {
      this.outcome = true
    },
  })
  // MSSBCBS is what the .NET client asks for.
  Object.assign(container.sasl_server_mechanisms as object, {
    ANONYMOUS: letIn,
    EXTERNAL: letIn,
    MSSBCBS: letIn,
  })
  return container
}
