import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createAzureCopySender } from "../../shared/deadLetter/azureCopySender.ts"
import { createAzureQueueDeadLetters } from "../../shared/deadLetter/azureQueueDeadLetters.ts"
import type { MessageCopy } from "../../shared/deadLetter/messageCopy.ts"
import { collect } from "../support/collect.ts"
import { aNamespace, quarantineQueue, queueName } from "./localAzure.ts"

let namespace: Awaited<ReturnType<typeof aNamespace>>
beforeEach(async () => {
  namespace = await aNamespace({ lockDurationMs: 2500 })
})
afterEach(() => namespace.stop())

const aCopy = (n: number, more: Partial<MessageCopy> = {}): MessageCopy => ({
  queue: "quarantine",
  messageId: `m${n}`,
  body: Buffer.from(`body ${n}`),
  envelope: { bodyType: "data", properties: { n } },
  ...more,
})
const sender = () =>
  createAzureCopySender(namespace.client("replay"), { changes: queueName, quarantine: quarantineQueue })
const quarantine = (store: "queue" | "deadLetter" = "queue") =>
  createAzureQueueDeadLetters(namespace.client("replay"), {
    source: "quarantine",
    queueName: quarantineQueue,
    store,
  })
const listed = async () => (await collect(quarantine().list())).flat()

describe("createAzureCopySender", () => {
  it("sends more than fits into one transfer, each to its queue", async () => {
    const large = Buffer.alloc(100_000, "x")
    const copies = Array.from({ length: 7 }, (_, n) => aCopy(n, n % 2 === 0 ? { body: large } : {}))
    const refused = await sender().send([...copies, aCopy(9, { queue: "changes" })])
    expect(refused.size).toBe(0)
    expect(namespace.bus.counts()[queueName]).toMatchObject({ active: 1 })
    const letters = await listed()
    expect(letters.map(({ messageId }) => messageId)).toEqual(copies.map(({ messageId }) => messageId))
    expect(letters.map(({ body }) => (body as Buffer).length)).toEqual(
      copies.map(({ body }) => (body as Buffer).length),
    )
  })

  it("tells which are too large, and sends the others", async () => {
    const copies = [aCopy(1), aCopy(2, { body: Buffer.alloc(300_000) }), aCopy(3)]
    expect([...(await sender().send(copies))]).toEqual(["m2"])
    expect((await listed()).map(({ messageId }) => messageId)).toEqual(["m1", "m3"])
  })

  it("tells why it may not", async () => {
    namespace.access.setRoles({ replay: [] })
    await expect(sender().send([aCopy(1)])).rejects.toMatchObject({
      code: "ERR_QUEUE_FORBIDDEN",
      details: { queue: quarantineQueue },
    })
  })
})

describe("createAzureQueueDeadLetters", () => {
  it("brings everything but the broker's own parts from a message to its copy", async () => {
    const envelope = {
      bodyType: "value",
      properties: { text: "t", yes: true, when: new Date("2026-03-01T10:00:00.123Z"), n: -5, half: 0.5 },
      contentType: "text/plain",
      contentEncoding: "identity",
      correlationId: "c",
      subject: "s",
      to: "t",
      replyTo: "r",
      sessionId: "session",
      replyToSessionId: "other",
      partitionKey: "session",
    } as const
    await sender().send([aCopy(1, { body: "a text in an AMQP value", envelope })])
    const [letter] = await listed()
    expect(letter).toMatchObject({
      source: "quarantine",
      place: quarantineQueue,
      id: "1",
      messageId: "m1",
      state: "active",
      body: "a text in an AMQP value",
    })
    expect(letter?.envelope).toEqual(envelope)
  })

  it("lists all pages in order, and again from the beginning", async () => {
    const copies = Array.from({ length: 600 }, (_, n) => aCopy(n))
    await sender().send(copies)
    const source = quarantine()
    for (let round = 0; round < 2; round++) {
      const pages = await collect(source.list())
      expect(pages.length).toBeGreaterThan(2)
      expect(pages.flat().map(({ messageId }) => messageId)).toEqual(copies.map(({ messageId }) => messageId))
    }
  })

  it("takes, extends, gives back and completes; a lock that ended is told", async () => {
    await sender().send([aCopy(1), aCopy(2)])
    const receiver = quarantine().open()
    const [one, two] = await receiver.take(10, { waitMs: 2000 })
    if (!one || !two) throw new Error("There are two")
    await receiver.extend(one)
    await receiver.complete(one)
    await receiver.release([two])
    const [again] = await receiver.take(10, { waitMs: 2000 })
    expect(again?.id).toBe(two.id)
    await expect.poll(() => namespace.bus.counts()[quarantineQueue]?.active, { timeout: 5000 }).toBe(1)
    await expect(receiver.extend(again!)).rejects.toMatchObject({ code: "ERR_QUEUE_LOCK_LOST" })
    await expect(receiver.complete(again!)).rejects.toMatchObject({ code: "ERR_QUEUE_LOCK_LOST" })
    await receiver.close()
  })

  it("sees what quarantine itself gave up, and tells why it may not look", async () => {
    await sender().send([aCopy(1)])
    const receiver = namespace.client("user").createReceiver(quarantineQueue)
    const [message] = await receiver.receiveMessages(1)
    await receiver.deadLetterMessage(message!, { deadLetterReason: "why", deadLetterErrorDescription: "d" })
    expect((await collect(quarantine("deadLetter").list())).flat()).toMatchObject([
      { place: `${quarantineQueue}/$DeadLetterQueue`, reason: "why", messageId: "m1" },
    ])
    namespace.access.setRoles({ replay: [] })
    await expect(collect(quarantine().list())).rejects.toMatchObject({ code: "ERR_QUEUE_FORBIDDEN" })
  })

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"))
    await expect(collect(quarantine().list({ signal }))).rejects.toThrow("enough")
    await expect(quarantine().open().take(1, { waitMs: 5000, signal })).rejects.toThrow("enough")
  })
})
