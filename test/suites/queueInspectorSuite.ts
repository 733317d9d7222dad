import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ChangeQueue } from "../../shared/queue/changeQueue.ts"
import type { QueueInspector } from "../../shared/queue/queueInspector.ts"

export interface QueueInspectorSubject {
  readonly inspector: QueueInspector
  readonly queueName: string
  readonly queue: ChangeQueue
  /** Takes the message with this id and dead-letters it, as a receiver would. */
  deadLetter(messageId: string, reason: string): Promise<void>
  stop(): Promise<void>
}

export interface QueueInspectorSuite {
  readonly name: string
  create(): Promise<QueueInspectorSubject>
}

/** More than one page of every adapter. */
const many = 260

/** What every QueueInspector promises. */
export function queueInspectorSuite({ name, create }: QueueInspectorSuite): void {
  describe(`${name} as QueueInspector`, () => {
    let subject: QueueInspectorSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    const peek = (store: "queue" | "deadLetter", limit = 10_000) =>
      subject.inspector.peek(subject.queueName, store, limit)

    it("sees nothing in an empty queue", async () => {
      await expect(peek("queue")).resolves.toEqual({ messages: [], complete: true })
      await expect(peek("deadLetter")).resolves.toEqual({ messages: [], complete: true })
    })

    it("sees body, properties and times of waiting and of scheduled messages, in order", async () => {
      const scheduledAt = new Date(Date.now() + 3_600_000)
      const properties = { "kvb-attempt": "2", "kvb-last-code": "ERR_VAULT_THROTTLED" }
      const before = Date.now()
      await subject.queue.send({ body: '{"change":{"n":1}}', messageId: "waiting", properties: {} })
      await subject.queue.send({ body: "no JSON", messageId: "bytes", properties: {} })
      await subject.queue.send({
        body: '{"change":{"n":2}}',
        messageId: "scheduled",
        properties,
        scheduledAt,
      })
      const { messages, complete } = await peek("queue")
      expect(complete).toBe(true)
      const [waiting, bytes, scheduled] = messages
      expect(messages).toHaveLength(3)
      expect(waiting).toMatchObject({ state: "active", body: { change: { n: 1 } }, properties: {} })
      expect(waiting?.enqueuedAt?.getTime()).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000)
      expect(waiting?.scheduledAt).toBeUndefined()
      expect(Buffer.from(bytes?.body as Uint8Array).toString()).toBe("no JSON")
      expect(scheduled).toMatchObject({
        state: "scheduled",
        body: { change: { n: 2 } },
        properties,
        scheduledAt,
      })
    })

    it("takes nothing by looking", async () => {
      const first = await peek("queue")
      expect(first.messages).toHaveLength(3)
      expect(await peek("queue")).toEqual(first)
    })

    it("sees dead letters with their reason, and no more of them in the queue", async () => {
      await subject.deadLetter("bytes", "MaxDeliveryCountExceeded")
      const dead = await peek("deadLetter")
      expect(dead).toMatchObject({
        messages: [{ deadLetterReason: "MaxDeliveryCountExceeded" }],
        complete: true,
      })
      expect((await peek("queue")).messages).toHaveLength(2)
    })

    it("says when there are more than were asked for, and when there are not", async () => {
      for (let n = 0; n < many; n++)
        await subject.queue.send({ body: `{"n":${n}}`, messageId: `m${n}`, properties: {} })
      const some = await peek("queue", many - 10)
      expect([some.messages.length, some.complete]).toEqual([many - 10, false])
      const all = await peek("queue", many + 2)
      expect([all.messages.length, all.complete]).toEqual([many + 2, true])
      const numbers = all.messages.slice(2).map(({ body }) => (body as { n: number }).n)
      expect(numbers).toEqual(Array.from({ length: many }, (_, n) => n))
    })
  })
}
