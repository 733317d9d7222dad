import * as fc from "fast-check"
import rhea from "rhea"
import { describe, expect, it } from "vitest"
import { AmqpDecodeError } from "../../../local/serviceBus/amqpScan.ts"
import { encodeDelivery } from "../../../local/serviceBus/encodeDelivery.ts"
import { parseEntityPath } from "../../../local/serviceBus/entityPath.ts"
import {
  fromUuidBytes,
  newLockToken,
  toDeliveryTag,
  toUuidBytes,
} from "../../../local/serviceBus/lockToken.ts"
import {
  parseBatch,
  parseMessage,
  withApplicationProperties,
} from "../../../local/serviceBus/storedMessage.ts"

const { message: codec, types } = rhea
const facts = { sequence: 1, deliveryCount: 0, enqueuedAtMs: 0, state: "active" } as const

describe("parseMessage", () => {
  it("reads what the broker must know", () => {
    const bytes = codec.encode({
      ttl: 70_000,
      message_id: "id",
      group_id: "session",
      message_annotations: { "x-opt-scheduled-enqueue-time": types.wrap_timestamp(1_800_000_000_000) },
      body: codec.data_section(Buffer.from("b")),
    })
    expect(parseMessage(bytes)).toMatchObject({
      messageId: "id",
      sessionId: "session",
      ttlMs: 70_000,
      scheduledAtMs: 1_800_000_000_000,
    })
  })

  it.each([
    { name: "text", id: "5", other: "6" },
    { name: "number", id: types.wrap_ulong(5), other: types.wrap_ulong(6) },
    { name: "uuid", id: types.wrap_uuid(Buffer.alloc(16, 5)), other: types.wrap_uuid(Buffer.alloc(16, 6)) },
    { name: "binary", id: types.wrap_binary(Buffer.from("5")), other: types.wrap_binary(Buffer.from("6")) },
  ])("tells ids of type $name apart", ({ id, other }) => {
    const idOf = (message_id: unknown) => parseMessage(codec.encode({ message_id, body: 1 })).messageId
    expect(idOf(id)).toBe(idOf(id))
    expect(idOf(id)).not.toBe(idOf(other))
  })

  it("gives two messages without id different ones, also when their properties are an empty list", () => {
    const bytes = Buffer.concat([Buffer.from("00537345", "hex"), Buffer.from("005375a00162", "hex")])
    const [first, second] = [parseMessage(bytes), parseMessage(bytes)]
    expect(first.messageId).not.toBe(second.messageId)
    expect(codec.decode(encodeDelivery(first, facts))["message_id"]).toBe(first.messageId)
    // rhea shares one array among all empty lists.
    expect(codec.decode(Buffer.from("00537345", "hex"))["message_id"]).toBeUndefined()
  })

  it("throws nothing but its own error on any bytes", () => {
    const parse = (bytes: Uint8Array) => {
      let thrown: unknown
      try {
        parseMessage(Buffer.from(bytes))
        parseBatch(Buffer.from(bytes))
      } catch (error) {
        thrown = error
      }
      const isOurs = thrown instanceof AmqpDecodeError || thrown instanceof RangeError
      expect(thrown === undefined || isOurs).toBe(true)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), parse), { numRuns: 2000 })
    const valid = codec.encode({ ttl: 5, message_id: "i", application_properties: { a: 1 }, body: "x" })
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(valid)
        changed[at] = byte
        parse(changed)
      }),
      { numRuns: 2000 },
    )
  })
})

describe("withApplicationProperties", () => {
  it("adds and replaces, and keeps the types of the rest", () => {
    const bytes = codec.encode({
      application_properties: { long: types.wrap_long(1), old: "o", gone: "g" },
      body: codec.data_section(Buffer.from("b")),
    })
    const changed = withApplicationProperties(
      parseMessage(bytes),
      new Map([
        ["gone", types.wrap_string("back")],
        ["int", types.wrap_int(2)],
      ]),
    )
    const hex = changed.applicationProperties!.toString("hex")
    // 0x55 is a small long, 0x54 a small int.
    expect(hex).toContain(`${Buffer.from("long").toString("hex")}5501`)
    expect(hex).toContain(`${Buffer.from("int").toString("hex")}5402`)
    expect(codec.decode(encodeDelivery(changed, facts))["application_properties"]).toEqual({
      long: 1,
      old: "o",
      gone: "back",
      int: 2,
    })
  })
})

describe("encodeDelivery", () => {
  it("writes numbers beyond 32 bits and a long time to live", () => {
    const stored = parseMessage(codec.encode({ ttl: 4_294_967_295, body: 1 }))
    const sequence = 2 ** 40 + 7
    const decoded = codec.decode(
      encodeDelivery(stored, { ...facts, sequence, deadLetterSource: "q".repeat(260), deliveryCount: 300 }),
    )
    expect(decoded).toMatchObject({ ttl: 4_294_967_295, delivery_count: 300, durable: true })
    expect(decoded["message_annotations"]).toMatchObject({
      "x-opt-sequence-number": sequence,
      "x-opt-deadletter-source": "q".repeat(260),
    })
  })
})

describe("parseEntityPath", () => {
  it.each([
    ["Orders", "orders", false, false],
    ["/orders/", "orders", false, false],
    ["sb://localhost:5671/Orders/$management", "orders", false, true],
    ["orders/$DeadLetterQueue", "orders", true, false],
    ["amqps://h/a/b/$deadletterqueue/$management", "a/b", true, true],
    ["sb://localhost/", "", false, false],
  ])("reads %s", (address, queue, isDeadLetters, isManagement) => {
    expect(parseEntityPath(address)).toMatchObject({ queue, isDeadLetters, isManagement })
  })
})

describe("a lock token", () => {
  it("is written as a delivery tag the way .NET writes a GUID", () => {
    const token = fromUuidBytes(Buffer.from("33221100554477668899aabbccddeeff", "hex"))
    expect(toDeliveryTag(token).toString("hex")).toBe("00112233445566778899aabbccddeeff")
  })

  it("survives its byte form", () => {
    const token = newLockToken()
    expect(fromUuidBytes(toUuidBytes(token))).toBe(token)
  })
})
