import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { FaultRule } from "../../../local/faults/faultBook.ts"
import { type ABus, aBus, until } from "./aServiceBus.ts"

const target = "servicebus" as const

describe("startServiceBus under faults", () => {
  let a: ABus
  beforeEach(async () => {
    a = await aBus()
  })
  afterEach(() => a[Symbol.asyncDispose]())

  const active = () => a.bus.counts()["q"]!.active
  const add = (method: string, rule: Partial<FaultRule>) =>
    a.faults.add({ target, effect: "status", count: 1, match: { method, path: "q" }, ...rule })

  it("answers a send with server busy, and takes the next one", async () => {
    const sender = a.client().createSender("q")
    add("send", { status: 503 })
    await expect(sender.sendMessages({ body: 1 })).rejects.toMatchObject({ code: "ServiceBusy" })
    expect(active()).toBe(0)
    await sender.sendMessages({ body: 2 })
    expect(active()).toBe(1)
  })

  it("answers with the condition that the rule names", async () => {
    add("send", { code: "com.microsoft:entity-disabled" })
    await expect(a.client().createSender("q").sendMessages({ body: 1 })).rejects.toMatchObject({
      code: "MessagingEntityDisabled",
    })
  })

  it("hits only the job and the queue that the rule names", async () => {
    a.faults.add({ target, effect: "status", status: 503, match: { path: "q", job: "backup" } })
    await a.client("tls", "user").createSender("q").sendMessages({ body: 1 })
    await a.client("tls", "backup").createSender("other").sendMessages({ body: 1 })
    await expect(a.client("tls", "backup").createSender("q").sendMessages({ body: 1 })).rejects.toThrow()
    expect(active()).toBe(1)
  })

  it("never answers a send that hangs, and has not stored it", async () => {
    const sender = a.client().createSender("q")
    await sender.sendMessages({ body: 1 })
    add("send", { effect: "hang" })
    let isOver = false
    sender.sendMessages({ body: 2 }).catch(() => (isOver = true))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(isOver).toBe(false)
    expect(active()).toBe(1)
  })

  it("cuts the connection before the message is stored, or with afterBytes after it and before the answer", async () => {
    const sender = a.client().createSender("q")
    await sender.sendMessages({ body: 1 })
    add("send", { effect: "cut" })
    await expect(sender.sendMessages({ body: 2 })).rejects.toThrow()
    expect(active()).toBe(1)
    add("send", { effect: "cut", afterBytes: 0 })
    await expect(sender.sendMessages({ body: 3 })).rejects.toThrow()
    expect(active()).toBe(2)
  })

  it("takes a delayed send late", async () => {
    const sender = a.client().createSender("q")
    add("send", { effect: "delay", delayMs: 400 })
    const startedMs = Date.now()
    await sender.sendMessages({ body: 1 })
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(400)
    expect(active()).toBe(1)
  })

  it("refuses a receiver, at attach and when it asks for more", async () => {
    const client = a.client()
    await client.createSender("q").sendMessages([{ body: 1 }, { body: 2 }])
    const receiver = client.createReceiver("q", { receiveMode: "receiveAndDelete" })
    add("receive", { status: 503 })
    await expect(receiver.receiveMessages(1)).rejects.toMatchObject({ code: "ServiceBusy" })
    expect(await receiver.receiveMessages(1)).toHaveLength(1)
    add("receive", { status: 503 })
    await expect(receiver.receiveMessages(1)).rejects.toMatchObject({ code: "ServiceBusy" })
    expect(active()).toBe(1)
  })

  it("gives to a delayed receiver late", async () => {
    const client = a.client()
    await client.createSender("q").sendMessages({ body: 1 })
    add("receive", { effect: "delay", delayMs: 500 })
    const startedMs = Date.now()
    expect(await client.createReceiver("q").receiveMessages(1)).toHaveLength(1)
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(500)
  })

  it("gives nothing to a receiver that hangs", async () => {
    const client = a.client()
    await client.createSender("q").sendMessages({ body: 1 })
    add("receive", { effect: "hang" })
    expect(await client.createReceiver("q").receiveMessages(1, { maxWaitTimeInMs: 300 })).toEqual([])
    expect(active()).toBe(1)
    expect(await client.createReceiver("q").receiveMessages(1)).toHaveLength(1)
  })

  it("refuses a settlement, which then has not happened", async () => {
    const client = a.client()
    await client.createSender("q").sendMessages({ body: 1 })
    const receiver = client.createReceiver("q")
    const [message] = await receiver.receiveMessages(1)
    add("settle", { code: "com.microsoft:message-lock-lost" })
    await expect(receiver.completeMessage(message!)).rejects.toMatchObject({ code: "MessageLockLost" })
    expect(a.bus.counts()["q"]!.locked).toBe(1)
  })

  it("completes a message whose answer is cut off, so that it does not come again", async () => {
    const client = a.client()
    await client.createSender("q").sendMessages({ body: 1 })
    const receiver = client.createReceiver("q")
    const [message] = await receiver.receiveMessages(1)
    add("settle", { effect: "cut", afterBytes: 0 })
    await expect(receiver.completeMessage(message!)).rejects.toThrow()
    await until(() => a.bus.counts()["q"]!.locked === 0)
    expect(active()).toBe(0)
  })

  it("refuses tokens and management requests", async () => {
    const client = a.client()
    add("cbs", { status: 401 })
    await expect(client.createSender("q").sendMessages({ body: 1 })).rejects.toMatchObject({
      code: "UnauthorizedAccess",
    })
    await client.createSender("q").sendMessages({ body: 1 })
    add("management", { status: 503 })
    await expect(client.createReceiver("q").peekMessages(1)).rejects.toMatchObject({ code: "ServiceBusy" })
    expect(await client.createReceiver("q").peekMessages(1)).toHaveLength(1)
  })
})
