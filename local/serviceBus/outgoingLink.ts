import type { Delivery, EventContext, Sender, Session } from "rhea"
import type { Entity } from "./broker.ts"
import { readSettlement } from "./deliveryOutcome.ts"
import { encodeDelivery, factsOf } from "./encodeDelivery.ts"
import type { EntityPath } from "./entityPath.ts"
import { type LockToken, newLockToken, toDeliveryTag } from "./lockToken.ts"
import type { Peer } from "./peer.ts"
import { serveWithFaults } from "./playFault.ts"
import type { QueueEntry } from "./queueEntry.ts"
import type { QueueReceiver } from "./queueReceivers.ts"
import { accepted, rejected } from "./requestReply.ts"
import { faultError, lockLost, notAllowed, type ServiceBusError } from "./serviceErrors.ts"
import type { SettlementResult } from "./settlement.ts"

/** Fields of rhea 3.0.5 that its declarations leave out or make read-only. */
type OpenDelivery = Omit<Delivery, "settled" | "remote_settled"> & {
  settled: boolean
  remote_settled: boolean
}
type CreditedSender = Sender & { readonly credit: number; readonly delivery_count: number }
type BufferedSession = Session & { readonly outgoing: { available(): number } }

const outcomes = ["accepted", "released", "modified", "rejected"] as const
const settledBySender = 1

/**
 * Gives the messages of an entity to one receiving link. Locks belong to the queue: when the link or the connection
 * is lost they run out by themselves, as at the service.
 *
 * @param delayMs - how long to hold back the first message; undefined for not at all.
 */
export function serveOutgoingLink(
  peer: Peer,
  link: Sender,
  path: EntityPath,
  entity: Entity,
  delayMs: number | undefined,
): void {
  const sender = link as CreditedSender
  const session = sender.session as BufferedSession
  const locks = new Map<Delivery, LockToken>()
  const { queue, receivers } = entity
  let sent = 0
  let isReady = false

  const recheck = () => {
    const refusal = peer.refusal(path, ["Listen"])
    if (refusal) end(refusal)
    return refusal
  }
  const receiver: QueueReceiver = {
    isDestructive: sender.snd_settle_mode === settledBySender,
    capacity: () => {
      if (!isReady || !peer.guarded.hasRoom || !sender.is_open()) return 0
      // rhea lowers the credit when it writes the frame, so what is under way counts too.
      return Math.min(sender.credit - (sent - sender.delivery_count), session.outgoing.available())
    },
    deliver: (entry) => {
      try {
        send(entry)
      } catch (error) {
        peer.guarded.drop(error instanceof Error ? error.message : "could not deliver")
      }
    },
  }

  function send(entry: QueueEntry): void {
    sent += 1
    const { lock } = entry
    const body = encodeDelivery(entry.message, factsOf(entry))
    peer.guarded.reserve(body.length)
    const delivery = sender.send(body, toDeliveryTag(lock?.token ?? newLockToken()), 0)
    if (lock) locks.set(delivery, lock.token)
  }

  const leave = () => {
    peer.links.delete(watched)
    receivers.remove(receiver)
    // Deliveries nobody will settle any more must not fill the buffer of the session.
    for (const delivery of locks.keys()) markSettled(delivery)
    locks.clear()
  }
  const watched = { recheck, pump: () => receivers.pump(), leave }
  const end = (error: ServiceBusError) => {
    leave()
    sender.close(error)
  }

  peer.links.add(watched)
  receivers.add(receiver)
  sender.on("sender_close", leave)
  sender.on("sender_flow", () => {
    if (recheck()) return
    const fault = sender.credit > 0 ? peer.fault("receive", path.path) : undefined
    if (fault === undefined) return receivers.pump()
    if (fault.effect === "status") return end(faultError(fault.status, fault.code))
    // Nothing is given to a link that hangs, and no credit is left for it to be asked again.
    if (fault.effect === "hang") return receivers.remove(receiver)
    serveWithFaults(fault, peer, { refuse: end, perform: () => () => receivers.pump() })
  })
  sender.on("sender_draining", () => {
    receivers.pump()
    sent += Math.max(0, sender.credit - (sent - sender.delivery_count))
    sender.set_drained(true)
  })
  for (const outcome of outcomes) {
    sender.on(outcome, ({ delivery }: EventContext) => {
      const token = delivery && locks.get(delivery)
      if (delivery === undefined || token === undefined) return
      locks.delete(delivery)
      if (recheck()) return
      const refuse = (error: ServiceBusError) => answer(delivery, error)
      serveWithFaults(peer.fault("settle", path.path), peer, {
        refuse,
        perform: () => {
          const result = queue.settle(token, readSettlement(outcome, delivery))
          return () => answer(delivery, settlementError(result))
        },
      })
    })
  }
  const begin = () => {
    isReady = true
    receivers.pump()
  }
  // The attach must be on the wire before any transfer, also when attach and credit came in one read.
  if (delayMs === undefined) setImmediate(begin)
  else setTimeout(begin, delayMs).unref()
}

/** Every successful outcome is answered with accepted: a client takes the echo of rejected for a failure. */
function answer(delivery: Delivery, error: ServiceBusError | undefined): void {
  if (delivery.remote_settled) return
  delivery.update(true, error ? rejected(error) : accepted())
  // Clients in settle mode second never settle again; rhea would keep the delivery until its buffer is full.
  markSettled(delivery)
}

function markSettled(delivery: Delivery): void {
  const open = delivery as OpenDelivery
  open.settled = true
  open.remote_settled = true
}

function settlementError(result: SettlementResult): ServiceBusError | undefined {
  if (result === "lockLost") return lockLost()
  return result === "notAllowed" ? notAllowed("A dead letter cannot be dead-lettered again.") : undefined
}
