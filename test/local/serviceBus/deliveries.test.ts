import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ABus, aBus, listeners } from "./aServiceBus.ts"

describe.each(listeners)("startServiceBus over %s", (listener) => {
  let a: ABus
  beforeAll(async () => {
    a = await aBus()
  })
  afterAll(() => a[Symbol.asyncDispose]())

  it("delivers what was sent, once completed never again", async () => {
    const client = a.client(listener)
    const sender = client.createSender("q")
    const receiver = client.createReceiver("q")
    await sender.sendMessages({ body: { hello: "wörld" }, messageId: "m1", applicationProperties: { n: 1 } })
    const [message] = await receiver.receiveMessages(5, { maxWaitTimeInMs: 2000 })
    expect(message).toMatchObject({
      body: { hello: "wörld" },
      messageId: "m1",
      deliveryCount: 0,
      applicationProperties: { n: 1 },
      state: "active",
    })
    expect(message!.lockedUntilUtc!.getTime()).toBeGreaterThan(Date.now() + 50_000)
    expect(a.bus.counts()["q"]).toMatchObject({ active: 0, locked: 1 })
    await receiver.completeMessage(message!)
    expect(a.bus.counts()["q"]).toMatchObject({ active: 0, locked: 0 })
  })
})
