import rhea from "rhea"
import type { EventContext, Receiver, Sender } from "rhea"
import type { Entity } from "./broker.ts"
import { claimsNode, putToken } from "./claims.ts"
import { type EntityPath, parseEntityPath } from "./entityPath.ts"
import { keepCredit, serveIncomingLink } from "./incomingLink.ts"
import { serveManagementLink } from "./managementLink.ts"
import { serveOutgoingLink } from "./outgoingLink.ts"
import { defaultDelayMs } from "./playFault.ts"
import type { Peer } from "./peer.ts"
import {
  type Claim,
  entityNotFound,
  faultError,
  notImplemented,
  type ServiceBusError,
  sessionNotSupported,
  sessionRequired,
} from "./serviceErrors.ts"

/** What a link says of itself when it attaches; rhea's declarations leave it out. */
type LocalAttach = Record<
  "snd_settle_mode" | "rcv_settle_mode" | "max_message_size" | "source" | "target" | "properties",
  unknown
>

const sessionFilter = "com.microsoft:session-filter"
const lockedUntil = "com.microsoft:locked-until-utc"
const sessionLockMs = 60_000

/** A time as .NET counts it: hundreds of nanoseconds since the year 1, eight bytes. */
function ticksOf(timeMs: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(timeMs) * 10_000n + 621_355_968_000_000_000n)
  return bytes
}

/** Answers every link the client of `peer` attaches. */
export function attachLinks(peer: Peer): void {
  const { connection } = peer
  connection.on("receiver_open", ({ receiver }: EventContext) => receiver && attachReceiver(peer, receiver))
  connection.on("sender_open", ({ sender }: EventContext) => sender && attachSender(peer, sender))
}

/** A link on which the client sends. */
function attachReceiver(peer: Peer, receiver: Receiver): void {
  const address = receiver.target?.address
  const attach = echoModes(receiver)
  attach.max_message_size = peer.broker.maxMessageBytes
  receiver.set_source(receiver.source ?? { address: "" })
  if (typeof address !== "string") {
    // The only target without an address is the coordinator of transactions.
    return refuse(receiver, notImplemented("Transactions are not supported by the local Service Bus."))
  }
  receiver.set_target({ address })
  if (address === claimsNode) {
    receiver.on("message", (context: EventContext) => {
      putToken(peer, context).catch((error: unknown) => peer.guarded.drop(String(error)))
    })
    return keepCredit(receiver)
  }
  const path = parseEntityPath(address)
  const entity = admit(peer, receiver, path, path.isManagement ? ["Send", "Listen"] : ["Send"])
  if (entity === undefined) return
  if (path.isManagement) serveManagementLink(peer, receiver, path, entity)
  else serveIncomingLink(peer, receiver, path, entity.queue)
}

/** A link on which the client receives. */
function attachSender(peer: Peer, sender: Sender): void {
  const address = sender.source?.address
  const attach = echoModes(sender)
  const filter = sender.source?.filter
  sender.set_source({ address: address ?? "", ...(filter ? { filter } : {}) })
  sender.set_target(sender.target?.address ? { address: sender.target.address } : { address: "" })
  if (address === claimsNode) return
  const path = parseEntityPath(address ?? "")
  const entity = admit(peer, sender, path, path.isManagement ? ["Send", "Listen"] : ["Listen"])
  if (entity === undefined || path.isManagement) return
  const wantsSession = filter !== undefined && filter !== null && Object.hasOwn(filter, sessionFilter)
  if (isEmptySession(filter, entity)) {
    attach.properties = { [lockedUntil]: rhea.types.wrap_long(ticksOf(Date.now() + sessionLockMs)) }
    return
  }
  const problem = sessionProblem(wantsSession, entity)
  if (problem) return refuse(sender, problem)
  const fault = peer.fault("receive", path.path)
  if (fault?.effect === "status") return refuse(sender, faultError(fault.status, fault.code))
  if (fault?.effect === "cut") return peer.guarded.cut()
  if (fault?.effect === "hang") return
  const delayMs = fault?.effect === "delay" ? (fault.delayMs ?? defaultDelayMs) : undefined
  serveOutgoingLink(peer, sender, path, entity, delayMs)
}

/** A session by name, of a queue that has no message at all: accepted, and silent. */
function isEmptySession(filter: unknown, { queue }: Entity): boolean {
  if (!queue.settings.requiresSession || typeof filter !== "object" || filter === null) return false
  const named: unknown = Reflect.get(filter, sessionFilter)
  const name: unknown = typeof named === "object" && named !== null ? Reflect.get(named, "value") : named
  const { active, locked, scheduled, deferred } = queue.counts()
  return typeof name === "string" && name !== "" && active + locked + scheduled + deferred === 0
}

function sessionProblem(wantsSession: boolean, { queue }: Entity): ServiceBusError | undefined {
  if (!queue.settings.requiresSession) return wantsSession ? sessionNotSupported() : undefined
  return wantsSession
    ? notImplemented("Sessions are not supported by the local Service Bus.")
    : sessionRequired()
}

function admit(
  peer: Peer,
  link: Sender | Receiver,
  path: EntityPath,
  claims: readonly Claim[],
): Entity | undefined {
  const refusal = peer.refusal(path, claims)
  const entity = refusal ? undefined : peer.broker.find(path)
  if (entity === undefined) refuse(link, refusal ?? entityNotFound(peer.resource(path.path)))
  return entity
}

/** Refusing a link is attaching it without its terminus, then detaching it with the error (AMQP 1.0, 2.6.3). */
function refuse(link: Sender | Receiver, error: ServiceBusError): void {
  if (link.is_receiver()) localAttach(link).target = undefined
  else localAttach(link).source = undefined
  link.close(error)
}

function echoModes(link: Sender | Receiver): LocalAttach {
  const attach = localAttach(link)
  attach.snd_settle_mode = link.snd_settle_mode
  attach.rcv_settle_mode = link.rcv_settle_mode
  return attach
}

function localAttach(link: Sender | Receiver): LocalAttach {
  return (link as unknown as { readonly local: { readonly attach: LocalAttach } }).local.attach
}
