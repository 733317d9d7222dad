import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ChangeQueue } from "../../shared/queue/changeQueue.ts"

/** What a receiver sees of a message. */
export interface ReceivedMessage {
  readonly body: Uint8Array
  readonly messageId: string
  readonly contentType?: string
  readonly properties: Readonly<Record<string, unknown>>
}

export interface ChangeQueueSubject {
  readonly queue: ChangeQueue
  /** Takes every message that can be taken at this moment. */
  receive(): Promise<readonly ReceivedMessage[]>
  stop(): Promise<void>
}

export interface ChangeQueueSuite {
  readonly name: string
  create(): Promise<ChangeQueueSubject>
  readonly supports: { readonly abort: boolean }
}

const properties = {
  "kvb-origin": "live",
  "kvb-attempt": "1",
  "kvb-original-id": "true",
  "kvb-first-enqueued": "2026-03-01T10:00:04.000Z",
}

/** What every ChangeQueue promises. */
export function changeQueueSuite({ name, create, supports }: ChangeQueueSuite): void {
  describe(`${name} as ChangeQueue`, () => {
    let subject: ChangeQueueSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())

    it.each([
      { name: "text", body: '{"change":{"a":"ü"}}', bytes: Buffer.from('{"change":{"a":"ü"}}') },
      { name: "text that is no JSON", body: "hello", bytes: Buffer.from("hello") },
      {
        name: "bytes that are no text",
        body: Buffer.from([0, 0xff, 0xfe, 1]),
        bytes: Buffer.from([0, 0xff, 0xfe, 1]),
      },
    ])(
      "sends $name to the byte, with id, content type and properties",
      async ({ name: what, body, bytes }) => {
        await subject.queue.send({
          body,
          messageId: `id ${what}`,
          contentType: "application/json",
          properties,
        })
        const [received, ...rest] = await subject.receive()
        expect(rest).toEqual([])
        expect(Buffer.from(received?.body ?? []).equals(bytes)).toBe(true)
        expect(received).toMatchObject({
          messageId: `id ${what}`,
          contentType: "application/json",
          properties,
        })
        expect(Object.keys(received?.properties ?? {}).sort()).toEqual(Object.keys(properties).sort())
      },
    )

    it("sends a second message when it is told twice", async () => {
      const message = { body: "{}", messageId: "twice", properties: {} }
      await subject.queue.send(message)
      await subject.queue.send(message)
      expect(await subject.receive()).toHaveLength(2)
    })

    it("hides a scheduled message until its time, and then gives it", async () => {
      const scheduledAt = new Date(Date.now() + 1500)
      await subject.queue.send({ body: '"later"', messageId: "later", properties: {}, scheduledAt })
      await subject.queue.send({ body: '"now"', messageId: "now", properties: {} })
      expect((await subject.receive()).map(({ messageId }) => messageId)).toEqual(["now"])
      await expect
        .poll(async () => (await subject.receive()).map(({ messageId }) => messageId), { timeout: 8000 })
        .toEqual(["later"])
      expect(Date.now()).toBeGreaterThanOrEqual(scheduledAt.getTime())
    })

    it.runIf(supports.abort)("stops when it is told to", async () => {
      const sent = subject.queue.send(
        { body: "{}", messageId: "x", properties: {} },
        { signal: AbortSignal.abort() },
      )
      await expect(sent).rejects.toThrow()
    })
  })
}
