import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type ABus, aBus } from "./aServiceBus.ts"

const lockDurationMs = 60_000
const maxDeliveryCount = 10

describe("startServiceBus", () => {
  let a: ABus
  beforeEach(async () => {
    a = await aBus({
      queues: [
        { name: "q", lockDurationMs, maxDeliveryCount },
        { name: "unique", lockDurationMs, maxDeliveryCount, duplicateWindowMs: 400 },
        { name: "sessions", lockDurationMs, maxDeliveryCount, requiresSession: true },
        { name: "short", lockDurationMs, maxDeliveryCount, defaultTtlMs: 100 },
        { name: "dropping", lockDurationMs, maxDeliveryCount, defaultTtlMs: 100, deadLetterOnExpiry: false },
      ],
    })
  })
  afterEach(() => a[Symbol.asyncDispose]())

  const sizeOf = (bytes: number) => ({ body: Buffer.alloc(bytes, 1) })
  const tooLarge = { code: "MessageSizeExceeded" }

  it("takes a message just below 256 KB, refuses one above, and goes on with the same link", async () => {
    const sender = a.client().createSender("q")
    await sender.sendMessages(sizeOf(262_000))
    await expect(sender.sendMessages(sizeOf(262_144))).rejects.toMatchObject(tooLarge)
    await expect(sender.sendMessages(sizeOf(5_000_000))).rejects.toMatchObject(tooLarge)
    await sender.sendMessages(sizeOf(1))
    expect(a.bus.counts()["q"]!.active).toBe(2)
    const [message] = await a.client().createReceiver("q").receiveMessages(1)
    expect((message!.body as Buffer).length).toBe(262_000)
  })

  it("refuses a batch above the limit as a whole", async () => {
    const sender = a.client().createSender("q")
    const messages = Array.from({ length: 5 }, () => sizeOf(60_000))
    await expect(sender.sendMessages(messages)).rejects.toMatchObject(tooLarge)
    expect(a.bus.counts()["q"]!.active).toBe(0)
  })

  it.each([
    { name: "one property of 32 KB", properties: { a: "x".repeat(32_800) } },
    { name: "three of 25 KB", properties: three(25_000) },
  ])("refuses $name with the error of the service", async ({ properties }) => {
    const sent = a.client().createSender("q").sendMessages({ body: 1, applicationProperties: properties })
    await expect(sent).rejects.toThrow("unable to process the request; please retry the operation")
    expect(a.bus.counts()["q"]!.active).toBe(0)
  })

  it("takes 60 KB of properties", async () => {
    await a
      .client()
      .createSender("q")
      .sendMessages({ body: 1, applicationProperties: three(20_000) })
    expect(a.bus.counts()["q"]!.active).toBe(1)
  })

  function three(length: number) {
    const value = "x".repeat(length)
    return { a: value, b: value, c: value }
  }

  it("accepts and drops a message id it has seen within the window, also a scheduled or completed one", async () => {
    const client = a.client()
    const sender = client.createSender("unique")
    const receiver = client.createReceiver("unique", { receiveMode: "receiveAndDelete" })
    await sender.scheduleMessages({ body: 1, messageId: "m" }, new Date(Date.now() + 60_000))
    await sender.sendMessages([
      { body: 2, messageId: "m" },
      { body: 3, messageId: "n" },
    ])
    expect(await receiver.receiveMessages(1)).toMatchObject([{ body: 3 }])
    await sender.sendMessages({ body: 4, messageId: "n" })
    expect(a.bus.counts()["unique"]).toMatchObject({ active: 0, scheduled: 1 })
    await new Promise((resolve) => setTimeout(resolve, 450))
    await sender.sendMessages({ body: 5, messageId: "n" })
    expect(a.bus.counts()["unique"]).toMatchObject({ active: 1 })
  })

  it("refuses a receiver without session on a queue that requires them, and a message without one", async () => {
    const client = a.client()
    await expect(client.createReceiver("sessions").receiveMessages(1)).rejects.toThrow(
      "It is not possible for an entity that requires sessions to create a non-sessionful message receiver.",
    )
    const sender = client.createSender("sessions")
    await expect(sender.sendMessages({ body: 1 })).rejects.toThrow("The SessionId was not set on a message")
    await sender.sendMessages({ body: 1, sessionId: "s" })
    expect(await client.createReceiver("sessions").peekMessages(1)).toMatchObject([{ sessionId: "s" }])
  })

  it("refuses a session receiver on a queue without sessions", async () => {
    // The JS client hides the service's words behind its own.
    await expect(a.client().acceptSession("q", "s")).rejects.toMatchObject({ code: "SessionCannotBeLocked" })
  })

  it("caps the time to live of a message at that of the queue, and drops what expires if told so", async () => {
    const client = a.client()
    await client.createSender("short").sendMessages({ body: 1, timeToLive: 60_000 })
    await client.createSender("dropping").sendMessages({ body: 1 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(a.bus.counts()).toMatchObject({
      short: { active: 0, deadLettered: 1 },
      dropping: { active: 0, deadLettered: 0 },
    })
  })
})
