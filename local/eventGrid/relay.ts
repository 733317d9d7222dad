import type { FaultBook, FaultRule } from "../faults/faultBook.ts"
import type { VaultChange } from "../keyVault/vaultChange.ts"
import { createDeadLetterWriter } from "./deadLetterWriter.ts"
import { type DeliveredMessage, type Delivery, eventTypeOf, newDelivery } from "./delivery.ts"
import { sendOnce } from "./deliveryAttempt.ts"
import { permanentReason, toDeliveryFailure } from "./deliveryFailure.ts"
import { createEndpointHealth } from "./endpointHealth.ts"
import { type EventObject, type EventSchema, keyVaultEvent } from "./keyVaultEvent.ts"
import type { RelayClock } from "./relayClock.ts"
import { defaultMaxAttempts, defaultTimeToLiveMs, retryDelayMs } from "./retrySchedule.ts"

/** The one event subscription of the relay. */
interface EventSubscription {
  readonly name: string
  /** In which form changes of the vault are delivered. */
  readonly schema: EventSchema
  /** Only these event types, in full; absent: all. */
  readonly eventTypes?: readonly string[]
  /** 1 to 30; 30 if absent. */
  readonly maxAttempts?: number
  /** One minute to 24 hours; 24 hours if absent. */
  readonly timeToLiveMs?: number
}

export interface RelayOptions {
  readonly subscription: EventSubscription
  readonly clock: RelayClock
  readonly faults: FaultBook
  /** Puts one message on the queue; throws a `DeliveryFailure` when it was not taken. */
  readonly deliver: (message: DeliveredMessage) => Promise<void>
  /**
   * Writes one blob into the dead-letter container; see `DeadLetterWriterOptions.write`. Absent: the
   * subscription has no dead-letter target, and what cannot be delivered is dropped.
   */
  readonly deadLetter?: (path: string, body: Buffer) => Promise<void>
  readonly log?: (line: string) => void
}

/** How many events are where; all but the first three only grow. */
export interface RelayCounts {
  /** Published and not yet delivered, dropped or dead-lettered. */
  readonly pending: number
  /** Of these, held back because the endpoint fails. */
  readonly held: number
  /** Of these, given up and waiting to be written. */
  readonly deadLettering: number
  readonly delivered: number
  readonly failedAttempts: number
  readonly deadLettered: number
  readonly dropped: number
  /** Not of a type the subscription asks for. */
  readonly filtered: number
}

export interface EventGridRelay {
  /** Publishes what the vault's system topic says about `change`. */
  publishChange(change: VaultChange): void
  /**
   * Publishes any event as it is.
   *
   * @throws TypeError when it is no JSON object: Event Grid takes nothing else.
   */
  publish(event: unknown): void
  pending(): number
  counts(): RelayCounts
  /** Forgets what is pending and leaves no timers. Safe to call again. */
  stop(): void
}

const maxInFlight = 64
// How long a delivery that is to be overtaken waits for one that overtakes it.
const longestOvertakingMs = 2000

/**
 * Delivers events as the basic tier of Event Grid does: at least once, in no promised order, one object a message,
 * with its retry schedule, delayed delivery and dead-lettering. Pending events live in memory only.
 *
 * Faults of target `eventgrid` hit an attempt; `match.path` looks at `EVENT-TYPE/SUBJECT`, `match.method` is
 * `deliver`. `duplicate` delivers twice, `drop` loses the event, `reorder` lets the next event overtake (for at most
 * `delayMs`, 2 s if absent), `delay` waits `delayMs` of wall time, `status` fails with that HTTP status without
 * sending, `hang` times out without sending, `cut` sends and loses the answer.
 */
export function createEventGridRelay(options: RelayOptions): EventGridRelay {
  const { subscription, clock } = options
  const maxAttempts = subscription.maxAttempts ?? defaultMaxAttempts
  const timeToLiveMs = subscription.timeToLiveMs ?? defaultTimeToLiveMs
  const health = createEndpointHealth()
  const pending = new Set<Delivery>()
  const held = new Set<Delivery>()
  const ready: Delivery[] = []
  const totals = { delivered: 0, failedAttempts: 0, deadLettered: 0, dropped: 0, filtered: 0 }
  let inFlight = 0
  let aside: Delivery | undefined
  let isStopped = false
  const letters = createDeadLetterWriter({
    subscription: subscription.name,
    clock,
    write: async (path, body) => options.deadLetter?.(path, body),
    onWritten: (events, path) => {
      totals.deadLettered += events
      options.log?.(`eventgrid: dead-lettered ${events} to ${path}`)
    },
    onDropped: (events, why) => dropped(events, why),
  })

  function publish(event: EventObject): void {
    if (isStopped) return
    if (subscription.eventTypes && !subscription.eventTypes.includes(eventTypeOf(event))) {
      totals.filtered += 1
      return
    }
    const delivery = newDelivery(event, clock)
    pending.add(delivery)
    const holdMs = health.holdBackMs()
    if (holdMs === 0) return enqueue(delivery)
    held.add(delivery)
    delivery.cancel = clock.schedule(holdMs, () => enqueue(delivery))
  }

  function enqueue(delivery: Delivery): void {
    held.delete(delivery)
    ready.push(delivery)
    pump()
  }

  function pump(): void {
    while (inFlight < maxInFlight) {
      const delivery = ready.shift()
      if (!delivery) return
      if (!pending.has(delivery)) continue
      inFlight += 1
      void attempt(delivery).finally(() => {
        inFlight -= 1
        pump()
      })
    }
  }

  async function attempt(delivery: Delivery): Promise<void> {
    if (clock.elapsedMs() - delivery.publishedMs >= timeToLiveMs)
      return giveUp(delivery, "TimeToLiveExceeded")
    const path = `${eventTypeOf(delivery.event)}/${String(delivery.event["subject"] ?? "")}`
    const rule = options.faults.take("eventgrid", { method: "deliver", path, job: "eventgrid" })
    if (rule?.effect === "drop") {
      pending.delete(delivery)
      return dropped(1, "a fault says so")
    }
    if (rule?.effect === "reorder" && aside === undefined) return setAside(delivery, rule)
    if (rule?.effect === "delay") {
      delivery.cancel = clock.scheduleUnscaled(rule.delayMs ?? 1000, () => void send(delivery, undefined))
      return
    }
    await send(delivery, rule)
  }

  function setAside(delivery: Delivery, { delayMs = longestOvertakingMs }: FaultRule): void {
    aside = delivery
    delivery.cancel = clock.scheduleUnscaled(delayMs, releaseAside)
  }

  function releaseAside(): void {
    const delivery = aside
    if (!delivery) return
    aside = undefined
    delivery.cancel?.()
    void send(delivery, undefined)
  }

  async function send(delivery: Delivery, rule: FaultRule | undefined): Promise<void> {
    if (!pending.has(delivery)) return
    delivery.attempts += 1
    delivery.lastAttemptAt = clock.now()
    const { deliver } = options
    const onLateSuccess = () => {
      if (pending.has(delivery) && !isStopped) succeeded(delivery)
    }
    try {
      await sendOnce({ delivery, subscription: subscription.name, rule, clock, deliver, onLateSuccess })
      if (!isStopped) succeeded(delivery)
    } catch (error) {
      if (!isStopped) failed(delivery, error)
    }
  }

  function succeeded(delivery: Delivery): void {
    delivery.cancel?.()
    if (pending.delete(delivery)) totals.delivered += 1
    health.succeeded()
    for (const waiting of held) {
      waiting.cancel?.()
      enqueue(waiting)
    }
    releaseAside()
  }

  function failed(delivery: Delivery, error: unknown): void {
    const failure = toDeliveryFailure(error)
    delivery.lastFailure = failure
    totals.failedAttempts += 1
    const permanent = permanentReason(failure)
    if (permanent !== undefined) return giveUp(delivery, permanent)
    health.failed()
    if (delivery.attempts >= maxAttempts) return giveUp(delivery, "MaxDeliveryAttemptsExceeded")
    const ageMs = clock.elapsedMs() - delivery.publishedMs
    const delayMs = Math.min(retryDelayMs(delivery.attempts), timeToLiveMs - ageMs)
    delivery.cancel = clock.schedule(delayMs, () => enqueue(delivery))
  }

  function giveUp(delivery: Delivery, reason: string): void {
    pending.delete(delivery)
    if (options.deadLetter === undefined) return dropped(1, `${reason}, and there is no dead-letter target`)
    const { event, attempts, publishedAt, lastAttemptAt, lastFailure } = delivery
    letters.add({
      event,
      reason,
      attempts,
      publishedAt,
      ...(lastAttemptAt === undefined ? {} : { lastAttemptAt }),
      ...(lastFailure === undefined ? {} : { lastFailure }),
    })
  }

  function dropped(events: number, why: string): void {
    totals.dropped += events
    options.log?.(`eventgrid: dropped ${events}: ${why}`)
  }

  return {
    publishChange: (change) => publish(keyVaultEvent(change, subscription.schema)),
    publish: (event) => {
      if (typeof event !== "object" || event === null || Array.isArray(event)) {
        throw new TypeError("An event is one JSON object")
      }
      publish({ ...event })
    },
    pending: () => pending.size + letters.pending(),
    counts: () => ({
      pending: pending.size + letters.pending(),
      held: held.size,
      deadLettering: letters.pending(),
      ...totals,
    }),
    stop: () => {
      isStopped = true
      for (const { cancel, cancelTimeout } of pending) {
        cancel?.()
        cancelTimeout?.()
      }
      pending.clear()
      held.clear()
      letters.stop()
    },
  }
}
