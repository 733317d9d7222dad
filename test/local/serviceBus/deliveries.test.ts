import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ABus, aBus, type Client, listeners, until } from "./aServiceBus.ts"

describe.each(listeners)("startServiceBus over %s", (listener) => {
  let a: ABus
  let client: Client
  let names = 0
  beforeAll(async () => {
    const lockDurationMs = 60_000
    a = await aBus({
      queues: [
        ...Array.from({ length: 20 }, (_, n) => ({ name: `q${n}`, lockDurationMs, maxDeliveryCount: 3 })),
        { name: "Brief", lockDurationMs: 300, maxDeliveryCount: 3 },
        { name: "Renewed", lockDurationMs: 1500, maxDeliveryCount: 3 },
        { name: "Cased", lockDurationMs, maxDeliveryCount: 3 },
      ],
    })
    client = a.client(listener)
  })
  afterAll(() => a[Symbol.asyncDispose]())

  /** An empty queue with a sender and a receiver. */
  function fresh(name = `q${names++}`) {
    return {
      name,
      sender: client.createSender(name),
      receiver: client.createReceiver(name, { maxAutoLockRenewalDurationInMs: 0 }),
      dead: client.createReceiver(name, { subQueueType: "deadLetter", maxAutoLockRenewalDurationInMs: 0 }),
      counts: () => a.bus.counts()[name]!,
    }
  }
  type Receiver = ReturnType<typeof fresh>["receiver"]
  async function receiveOne(receiver: Receiver) {
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 3000 })
    if (message === undefined) throw new Error("nothing was received")
    return message
  }

  it("delivers what was sent, once completed never again", async () => {
    const { sender, receiver, counts } = fresh()
    await sender.sendMessages({
      body: { hello: "wörld" },
      messageId: "m1",
      subject: "s",
      correlationId: "c",
      applicationProperties: { n: 1, yes: true, at: "t" },
    })
    const message = await receiveOne(receiver)
    expect(message).toMatchObject({
      body: { hello: "wörld" },
      messageId: "m1",
      subject: "s",
      correlationId: "c",
      deliveryCount: 0,
      applicationProperties: { n: 1, yes: true, at: "t" },
      state: "active",
    })
    expect(message.sequenceNumber!.toNumber()).toBe(1)
    expect(Math.abs(message.enqueuedTimeUtc!.getTime() - Date.now())).toBeLessThan(3000)
    expect(message.lockedUntilUtc!.getTime()).toBeGreaterThan(Date.now() + 50_000)
    expect(counts()).toMatchObject({ active: 0, locked: 1 })
    await receiver.completeMessage(message)
    expect(counts()).toEqual({ active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 })
  })

  it("takes batches, and gives them out in order", async () => {
    const { sender, receiver } = fresh()
    const batch = await sender.createMessageBatch()
    for (let n = 0; n < 50; n += 1) expect(batch.tryAddMessage({ body: n, messageId: `m${n}` })).toBe(true)
    expect(batch.maxSizeInBytes).toBe(262_144)
    await sender.sendMessages(batch)
    await sender.sendMessages([{ body: 50 }, { body: 51 }])
    const bodies: unknown[] = []
    while (bodies.length < 52) {
      for (const message of await receiver.receiveMessages(52 - bodies.length)) {
        bodies.push(message.body)
        await receiver.completeMessage(message)
      }
    }
    expect(bodies).toEqual(Array.from({ length: 52 }, (_, n) => n))
  })

  it("keeps the body's bytes, also those that are no UTF-8", async () => {
    const { sender, receiver } = fresh()
    const body = Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0x80])
    await sender.sendMessages({ body })
    const message = await receiveOne(receiver)
    expect(Buffer.compare(message.body as Buffer, body)).toBe(0)
    await receiver.completeMessage(message)
  })

  it("gives a message without an id one of its own", async () => {
    const { sender, receiver } = fresh()
    await sender.sendMessages({ body: 1, subject: "kept" })
    const message = await receiveOne(receiver)
    expect(message.messageId).toMatch(/^[0-9a-f]{32}$/)
    expect(message.subject).toBe("kept")
  })

  it("delivers an abandoned message again with its new properties, and dead-letters it after three times", async () => {
    const { name, sender, receiver, dead, counts } = fresh()
    await sender.sendMessages({ body: 1, messageId: "m", applicationProperties: { old: "o", n: 5 } })
    for (const n of [0, 1, 2]) {
      const message = await receiveOne(receiver)
      expect(message.deliveryCount).toBe(n)
      await receiver.abandonMessage(message, { tried: n })
    }
    expect(counts()).toMatchObject({ active: 0, deadLettered: 1 })
    const letter = await receiveOne(dead)
    expect(letter).toMatchObject({
      messageId: "m",
      deadLetterReason: "MaxDeliveryCountExceeded",
      deadLetterErrorDescription: "Message could not be consumed after 3 delivery attempts.",
      deadLetterSource: name,
      applicationProperties: { old: "o", n: 5, tried: 2 },
    })
    await dead.completeMessage(letter)
    expect(counts().deadLettered).toBe(0)
  })

  it("dead-letters with reason, description and properties, at once and without the retry of a failure", async () => {
    const { sender, receiver, dead } = fresh()
    await sender.sendMessages({ body: "b", messageId: "m" })
    const message = await receiveOne(receiver)
    const startedMs = Date.now()
    await receiver.deadLetterMessage(message, {
      deadLetterReason: "malformed",
      deadLetterErrorDescription: "no id",
      code: 7,
    })
    expect(Date.now() - startedMs).toBeLessThan(1000)
    const letter = await receiveOne(dead)
    expect(letter).toMatchObject({
      body: "b",
      deadLetterReason: "malformed",
      deadLetterErrorDescription: "no id",
      applicationProperties: { code: 7 },
    })
    expect(letter.enqueuedTimeUtc).toEqual(message.enqueuedTimeUtc)
    await expect(dead.deadLetterMessage(letter)).rejects.toMatchObject({
      message: expect.stringContaining("cannot be dead-lettered again"),
    })
  })

  it("defers, and gives out by sequence number", async () => {
    const { sender, receiver, counts } = fresh()
    await sender.sendMessages({ body: 1, messageId: "m" })
    const message = await receiveOne(receiver)
    await receiver.deferMessage(message, { why: "later" })
    expect(counts()).toMatchObject({ active: 0, deferred: 1 })
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 100 })).toEqual([])
    const [again] = await receiver.receiveDeferredMessages(message.sequenceNumber!)
    expect(again).toMatchObject({
      body: 1,
      state: "deferred",
      deliveryCount: 1,
      applicationProperties: { why: "later" },
    })
    expect(counts()).toMatchObject({ locked: 1, deferred: 0 })
    await receiver.completeMessage(again!)
    await expect(receiver.receiveDeferredMessages(message.sequenceNumber!)).rejects.toMatchObject({
      code: "MessageNotFound",
    })
  })

  it("settles a deferred message in every way", async () => {
    const { sender, receiver, dead, counts } = fresh()
    await sender.sendMessages([1, 2, 3].map((body) => ({ body })))
    const sequences = []
    for (let n = 0; n < 3; n += 1) {
      const message = await receiveOne(receiver)
      sequences.push(message.sequenceNumber!)
      await receiver.deferMessage(message)
    }
    const [first, second, third] = await receiver.receiveDeferredMessages(sequences)
    await receiver.abandonMessage(first!, { seen: true })
    await receiver.deadLetterMessage(second!, { deadLetterReason: "r", deadLetterErrorDescription: "d" })
    await receiver.deferMessage(third!)
    expect(counts()).toEqual({ active: 0, locked: 0, scheduled: 0, deferred: 2, deadLettered: 1 })
    expect(await receiveOne(dead)).toMatchObject({ body: 2, deadLetterReason: "r" })
    const [again] = await receiver.receiveDeferredMessages(sequences[0]!)
    expect(again).toMatchObject({ deliveryCount: 2, applicationProperties: { seen: true } })
  })

  it("hides a scheduled message until its time, and then gives it a new number", async () => {
    const { sender, receiver, counts } = fresh()
    const at = new Date(Date.now() + 400)
    const [number] = await sender.scheduleMessages({ body: "later", messageId: "m" }, at)
    await sender.sendMessages({ body: "sent", scheduledEnqueueTimeUtc: at })
    expect(counts()).toMatchObject({ active: 0, scheduled: 2 })
    const peeked = await receiver.peekMessages(10)
    expect(peeked.map(({ state }) => state)).toEqual(["scheduled", "scheduled"])
    const message = await receiveOne(receiver)
    expect(Date.now()).toBeGreaterThanOrEqual(at.getTime())
    expect(message.scheduledEnqueueTimeUtc).toEqual(at)
    expect(message.sequenceNumber!.toNumber()).toBeGreaterThan(number!.toNumber() + 1)
    expect(message.enqueuedTimeUtc!.getTime()).toBeGreaterThanOrEqual(at.getTime())
  })

  it("cancels a scheduled message once", async () => {
    const { sender, counts } = fresh()
    const [number] = await sender.scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000))
    await sender.cancelScheduledMessages(number!)
    expect(counts().scheduled).toBe(0)
    await expect(sender.cancelScheduledMessages(number!)).rejects.toMatchObject({ code: "MessageNotFound" })
  })

  it("peeks in sequence order at messages in every state, and changes nothing", async () => {
    const { sender, receiver, counts } = fresh()
    await sender.sendMessages([1, 2, 3].map((body) => ({ body })))
    await sender.scheduleMessages({ body: 4 }, new Date(Date.now() + 60_000))
    await receiveOne(receiver)
    await receiver.deferMessage(await receiveOne(receiver))
    const before = counts()
    const first = await receiver.peekMessages(2)
    const rest = await receiver.peekMessages(10)
    expect([...first, ...rest].map(({ body, state }) => [body, state])).toEqual([
      [1, "active"],
      [2, "deferred"],
      [3, "active"],
      [4, "scheduled"],
    ])
    expect(await receiver.peekMessages(10)).toEqual([])
    expect(counts()).toEqual(before)
    expect(before).toEqual({ active: 1, locked: 1, scheduled: 1, deferred: 1, deadLettered: 0 })
  })

  it("dead-letters a message whose time to live is over, without a receiver", async () => {
    const { sender, dead, counts } = fresh()
    await sender.sendMessages({ body: 1, timeToLive: 150 })
    await until(() => counts().deadLettered === 1)
    expect(await receiveOne(dead)).toMatchObject({
      deadLetterReason: "TTLExpiredException",
      deadLetterErrorDescription: "The message expired and was dead lettered.",
    })
  })

  it("gives a message to somebody else when its lock runs out, and tells the first that it lost the lock", async () => {
    const { sender, receiver } = fresh("Brief")
    await sender.sendMessages({ body: 1 })
    const first = await receiveOne(receiver)
    const second = await receiveOne(receiver)
    expect(second.deliveryCount).toBe(1)
    await expect(receiver.completeMessage(first)).rejects.toMatchObject({ code: "MessageLockLost" })
    await receiver.completeMessage(second)
  })

  it("renews a lock, and refuses to renew one that is lost", async () => {
    const { sender, receiver, counts } = fresh("Renewed")
    // Opens the link that renewals take, so that the lock does not wait for it.
    await receiver.peekMessages(1)
    await sender.sendMessages({ body: 1 })
    const message = await receiveOne(receiver)
    const firstUntil = message.lockedUntilUtc!.getTime()
    await new Promise((resolve) => setTimeout(resolve, 700))
    const renewed = await receiver.renewMessageLock(message)
    expect(renewed.getTime()).toBeGreaterThan(firstUntil + 600)
    await new Promise((resolve) => setTimeout(resolve, firstUntil + 100 - Date.now()))
    expect(counts()).toMatchObject({ locked: 1 })
    await receiver.completeMessage(message)
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: "MessageLockLost" })
  })

  it("takes a message out at once for a receiver that deletes", async () => {
    const { name, sender, counts } = fresh()
    await sender.sendMessages([{ body: 1 }, { body: 2 }])
    const receiver = client.createReceiver(name, { receiveMode: "receiveAndDelete" })
    expect((await receiver.receiveMessages(1)).map(({ body }) => body as unknown)).toEqual([1])
    expect(counts()).toMatchObject({ active: 1, locked: 0 })
  })

  it("pumps to a subscriber, with locks renewed and several at once", async () => {
    const { name, sender, counts } = fresh()
    const receiver = client.createReceiver(name)
    const bodies: unknown[] = []
    const problems: unknown[] = []
    const subscription = receiver.subscribe(
      {
        processMessage: async ({ body }) => {
          bodies.push(body)
        },
        processError: async ({ error }) => {
          problems.push(error)
        },
      },
      { maxConcurrentCalls: 8 },
    )
    for (let n = 0; n < 100; n += 1) await sender.sendMessages({ body: n })
    await until(() => bodies.length === 100 && counts().locked === 0)
    expect(new Set(bodies).size).toBe(100)
    expect(problems).toEqual([])
    await subscription.close()
  })

  it("answers an entity nobody made with not found, for sending, receiving and peeking", async () => {
    const expected = { code: "MessagingEntityNotFound" }
    await expect(client.createSender("nope").sendMessages({ body: 1 })).rejects.toMatchObject(expected)
    await expect(client.createReceiver("nope").receiveMessages(1)).rejects.toMatchObject(expected)
    await expect(client.createReceiver("nope").peekMessages(1)).rejects.toMatchObject(expected)
  })

  it("does not care about the case of names", async () => {
    await client.createSender("CASED").sendMessages({ body: "x" })
    const receiver = client.createReceiver("cased", { receiveMode: "receiveAndDelete" })
    expect(await receiveOne(receiver)).toMatchObject({ body: "x" })
  })

  it("lets a drain end, with messages and without", async () => {
    const { sender, receiver } = fresh()
    const startedMs = Date.now()
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 50 })).toEqual([])
    expect(Date.now() - startedMs).toBeLessThan(240)
    await sender.sendMessages({ body: 1 })
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 })).toHaveLength(1)
    await sender.sendMessages({ body: 2 })
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 })).toHaveLength(1)
  })
})
