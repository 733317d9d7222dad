import * as fc from "fast-check"
import rhea from "rhea"
import { beforeEach, describe, expect, it } from "vitest"
import { MessageQueue } from "../../../local/serviceBus/messageQueue.ts"
import type { QueueSettings } from "../../../local/serviceBus/queueEntry.ts"
import { parseMessage, type StoredMessage } from "../../../local/serviceBus/storedMessage.ts"
import { type FakeTimers, fakeTimers } from "./fakeTimers.ts"

const lockDurationMs = 1000
const none = new Map()

let timers: FakeTimers
beforeEach(() => {
  timers = fakeTimers()
})

function aQueue(settings: Partial<QueueSettings> = {}): MessageQueue {
  return new MessageQueue({ name: "q", lockDurationMs, maxDeliveryCount: 3, ...settings }, { timers })
}

function aMessage(fields: { id?: string; ttlMs?: number; scheduledAtMs?: number } = {}): StoredMessage {
  const { types, message } = rhea
  const annotations = { "x-opt-scheduled-enqueue-time": types.wrap_timestamp(fields.scheduledAtMs ?? 0) }
  return parseMessage(
    message.encode({
      ...(fields.ttlMs === undefined ? {} : { ttl: fields.ttlMs }),
      ...(fields.scheduledAtMs === undefined ? {} : { message_annotations: annotations }),
      message_id: fields.id,
      body: message.data_section(Buffer.from("b")),
    }),
  )
}

describe("MessageQueue", () => {
  it("gives out in order, and an abandoned message before younger ones", () => {
    const queue = aQueue()
    for (let n = 0; n < 3; n += 1) queue.enqueue(aMessage())
    const first = queue.lockNext()!
    queue.lockNext()
    queue.settle(first.lock.token, { outcome: "abandon", properties: none })
    expect(queue.lockNext()).toMatchObject({ sequence: 1, deliveryCount: 1 })
    expect(queue.lockNext()).toMatchObject({ sequence: 3, deliveryCount: 0 })
    expect(queue.lockNext()).toBeUndefined()
  })

  it("counts a lock that ran out as a delivery, to the millisecond", () => {
    const queue = aQueue()
    queue.enqueue(aMessage())
    const { lock } = queue.lockNext()!
    timers.pass(lockDurationMs - 1)
    expect(queue.hasAvailable).toBe(false)
    timers.pass(1)
    expect(queue.settle(lock.token, { outcome: "complete" })).toBe("lockLost")
    expect(queue.lockNext()).toMatchObject({ sequence: 1, deliveryCount: 1 })
  })

  it("starts the duration again when a lock is renewed, and does not renew a lost one", () => {
    const queue = aQueue()
    queue.enqueue(aMessage())
    const { lock } = queue.lockNext()!
    timers.pass(900)
    expect(queue.renew(lock.token)).toBe(timers.now() + lockDurationMs)
    timers.pass(900)
    expect(queue.settle(lock.token, { outcome: "complete" })).toBe("settled")
    expect(queue.renew(lock.token)).toBeUndefined()
    expect(timers.pending).toBe(0)
  })

  it("dead-letters after the last delivery, with its old enqueue time and number", () => {
    const queue = aQueue({ maxDeliveryCount: 2 })
    queue.enqueue(aMessage({ id: "m" }))
    const enqueuedAtMs = timers.now()
    queue.lockNext()
    timers.pass(lockDurationMs)
    queue.lockNext()
    timers.pass(lockDurationMs)
    expect(queue.counts()).toEqual({ active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 1 })
    expect(queue.deadLetters!.lockNext()).toMatchObject({
      sequence: 1,
      originalSequence: 1,
      enqueuedAtMs,
      deliveryCount: 2,
      source: "q",
    })
  })

  it("delivers dead letters for ever: neither a delivery limit nor time to live holds there", () => {
    const queue = aQueue({ maxDeliveryCount: 1 })
    queue.enqueue(aMessage({ ttlMs: 5000 }))
    queue.lockNext()
    timers.pass(lockDurationMs)
    for (let n = 0; n < 20; n += 1) {
      expect(queue.deadLetters!.lockNext()).toBeDefined()
      timers.pass(lockDurationMs)
    }
    const { lock } = queue.deadLetters!.lockNext()!
    expect(queue.deadLetters!.settle(lock.token, { outcome: "deadLetter", properties: none })).toBe(
      "notAllowed",
    )
    expect(queue.deadLetters!.settle(lock.token, { outcome: "complete" })).toBe("settled")
  })

  it("lets a receiver finish with a message that expires in its hands, but does not give it out again", () => {
    const queue = aQueue()
    queue.enqueue(aMessage({ ttlMs: 500 }))
    queue.enqueue(aMessage({ ttlMs: 500 }))
    const [kept, dropped] = [queue.lockNext()!, queue.lockNext()!]
    timers.pass(600)
    expect(queue.settle(kept.lock.token, { outcome: "complete" })).toBe("settled")
    queue.settle(dropped.lock.token, { outcome: "abandon", properties: none })
    expect(queue.counts()).toMatchObject({ active: 0, locked: 0, deadLettered: 1 })
  })

  it("expires every message at its own time, with one timer", () => {
    const queue = aQueue()
    for (const ttlMs of [3000, 1000, 2000]) queue.enqueue(aMessage({ ttlMs }))
    expect(timers.pending).toBe(1)
    const deadLettered = [1000, 1000, 1000].map((ms) => {
      timers.pass(ms)
      return queue.counts().deadLettered
    })
    expect(deadLettered).toEqual([1, 2, 3])
    expect(timers.pending).toBe(0)
  })

  it("starts the time to live of a scheduled message when it becomes active", () => {
    const queue = aQueue()
    queue.enqueue(aMessage({ ttlMs: 1000, scheduledAtMs: timers.now() + 5000 }))
    timers.pass(5500)
    expect(queue.counts()).toMatchObject({ active: 1 })
    timers.pass(600)
    expect(queue.counts()).toMatchObject({ active: 0, deadLettered: 1 })
  })

  it("gives a scheduled message a new number when its time comes, and takes a past time as now", () => {
    const queue = aQueue()
    queue.enqueue(aMessage({ scheduledAtMs: timers.now() + 50 }))
    queue.enqueue(aMessage({ scheduledAtMs: timers.now() - 50 }))
    timers.pass(50)
    expect([queue.lockNext()?.sequence, queue.lockNext()?.sequence]).toEqual([2, 3])
    expect(queue.cancelScheduled([1])).toBe(false)
  })

  it("cancels all scheduled messages that are named, or none", () => {
    const queue = aQueue()
    const numbers = [1, 2].map(() => queue.enqueue(aMessage({ scheduledAtMs: timers.now() + 50 }))!)
    expect(queue.cancelScheduled([...numbers, 9])).toBe(false)
    expect(queue.counts().scheduled).toBe(2)
    expect(queue.cancelScheduled(numbers)).toBe(true)
    timers.pass(100)
    expect(queue.size).toBe(0)
  })

  it("gives a deferred message to one receiver at a time, and keeps it deferred when that one fails", () => {
    const queue = aQueue({ maxDeliveryCount: 2 })
    queue.enqueue(aMessage())
    queue.settle(queue.lockNext()!.lock.token, { outcome: "defer", properties: none })
    expect(queue.receiveDeferred([1], false)).toHaveLength(1)
    expect(queue.receiveDeferred([1], false)).toBeUndefined()
    timers.pass(lockDurationMs)
    expect(queue.counts()).toMatchObject({ active: 0, deferred: 1 })
    expect(queue.receiveDeferred([1, 2], true)).toBeUndefined()
    expect(queue.receiveDeferred([1], true)).toMatchObject([{ deliveryCount: 2 }])
    expect(queue.size).toBe(0)
  })

  it("dead-letters a message that is deferred in its last delivery", () => {
    const queue = aQueue({ maxDeliveryCount: 1 })
    queue.enqueue(aMessage())
    expect(queue.settle(queue.lockNext()!.lock.token, { outcome: "defer", properties: none })).toBe("settled")
    expect(queue.counts()).toMatchObject({ deferred: 0, deadLettered: 1 })
    expect(queue.deadLetters!.lockNext()).toMatchObject({ state: "active", deliveryCount: 1 })
  })

  it("drops a repeated message id within the window only", () => {
    const queue = aQueue({ duplicateWindowMs: 1000 })
    expect(queue.enqueue(aMessage({ id: "a" }))).toBe(1)
    expect(queue.enqueue(aMessage({ id: "a" }))).toBeUndefined()
    timers.pass(999)
    expect(queue.enqueue(aMessage({ id: "a" }))).toBeUndefined()
    timers.pass(1)
    expect(queue.enqueue(aMessage({ id: "a" }))).toBe(2)
  })

  it("says when messages become available", () => {
    const queue = aQueue()
    let calls = 0
    queue.onAvailable = () => (calls += 1)
    queue.enqueue(aMessage({ scheduledAtMs: timers.now() + 50 }))
    expect(calls).toBe(0)
    timers.pass(50)
    expect(calls).toBe(1)
    queue.lockNext()
    timers.pass(lockDurationMs)
    expect(calls).toBe(2)
  })

  it("has no timers left once stopped", () => {
    const queue = aQueue()
    queue.enqueue(aMessage({ ttlMs: 5000 }))
    queue.enqueue(aMessage({ scheduledAtMs: timers.now() + 50 }))
    queue.lockNext()
    queue.stop()
    expect(timers.pending).toBe(0)
  })

  it("loses nothing and completes nothing twice, whatever receivers do", () => {
    const step = fc.oneof(
      fc.constant({ do: "enqueue" as const }),
      fc.record({
        do: fc.constant("settle" as const),
        at: fc.nat(4),
        how: fc.constantFrom("complete", "abandon", "defer", "deadLetter"),
      }),
      fc.constant({ do: "lock" as const }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 1500 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        timers = fakeTimers()
        const queue = aQueue()
        const tokens: NonNullable<ReturnType<MessageQueue["lockNext"]>>["lock"]["token"][] = []
        let [enqueued, completed] = [0, 0]
        for (const step of steps) {
          if (step.do === "enqueue") queue.enqueue(aMessage({ id: String((enqueued += 1)) }))
          if (step.do === "lock")
            tokens.push(...[queue.lockNext()?.lock.token].filter((token) => token !== undefined))
          if (step.do === "pass") timers.pass(step.ms)
          if (step.do !== "settle") continue
          const token = tokens.at(step.at)
          if (token === undefined) continue
          const outcome = step.how as "complete"
          const result = queue.settle(token, { outcome, properties: none } as never)
          if (outcome === "complete" && result === "settled") completed += 1
        }
        const { active, locked, deferred, deadLettered } = queue.counts()
        expect(active + locked + deferred + deadLettered + completed).toBe(enqueued)
        expect(queue.peek(0, 1000).map(({ sequence }) => sequence)).toEqual(
          queue
            .peek(0, 1000)
            .map(({ sequence }) => sequence)
            .toSorted((a, b) => a - b),
        )
      }),
      { numRuns: process.env["SLOW"] ? 2000 : 200 },
    )
  })
})
