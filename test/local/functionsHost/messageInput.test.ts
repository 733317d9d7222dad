import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type FixtureBus, startFixtureBus } from "./fixtureBus.ts"
import { bundleFixture, eventually, type FixtureApp, type FixtureHost } from "./fixtureHost.ts"

let app: FixtureApp
let bus: FixtureBus
let host: FixtureHost

beforeAll(async () => {
  app = await bundleFixture()
  bus = await startFixtureBus(app)
  host = await bus.start()
})
beforeEach(() => {
  host.logs.length = 0
})
afterAll(async () => {
  await bus.stop()
  await app.remove()
})

const emptied = { active: 0, locked: 0, deadLettered: 0 }

describe("the input of a Service Bus function", () => {
  it("get the metadata that the host and the library make of a message", async () => {
    const { saw } = host
    await bus.send({
      body: "text",
      messageId: "12345",
      subject: "true",
      correlationId: "c-1",
      contentType: "text/plain",
      to: "t",
      replyTo: "r",
      applicationProperties: {
        MyProp: 1,
        "aeg-event-type": "Notification",
        DeadLetterReason: "x",
        when: new Date("2026-11-24T10:00:00.120Z"),
      },
    })
    await eventually(() => saw("receive").length === 1)
    const { metadata } = saw("receive")[0] as { metadata: Record<string, unknown> }
    const properties = {
      // The library lower-cases first letters, also inside objects.
      myProp: 1,
      "aeg-event-type": "Notification",
      deadLetterReason: "x",
      when: "2026-11-24T10:00:00.12Z",
    }
    expect(metadata).toEqual({
      deliveryCount: 1,
      lockToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
      expiresAtUtc: "9999-12-31T23:59:59.9999999",
      expiresAt: "9999-12-31T23:59:59.9999999+00:00",
      // UTC, but without offset: that is how .NET writes a DateTime without a kind.
      enqueuedTimeUtc: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?$/),
      enqueuedTime: expect.stringMatching(/\+00:00$/),
      // The library parses every string that is JSON.
      messageId: 12345,
      subject: true,
      label: true,
      sequenceNumber: expect.any(Number),
      correlationId: "c-1",
      contentType: "text/plain",
      to: "t",
      replyTo: "r",
      applicationProperties: properties,
      userProperties: properties,
      sys: { methodName: "receive", utcNow: expect.stringMatching(/Z$/), randGuid: expect.any(String) },
    })
  })

  it("get metadata that the body's top-level keys have replaced", async () => {
    const { saw } = host
    const body = {
      id: "event-1",
      SUBJECT: "from the body",
      messageid: "other",
      eventTime: "2026-11-24T10:00:00.1234567Z",
      data: { ObjectName: "n", at: "2026-11-24T10:00:00Z" },
      isNew: true,
      size: 5,
      nothing: null,
      deliveryCount: ["kept as it was"],
    }
    await bus.send({ body, messageId: "m-1", subject: "from the broker" })
    await eventually(() => saw("receive").length === 1)
    const [{ message, metadata }] = saw("receive") as [
      { message: unknown; metadata: Record<string, unknown> },
    ]
    expect(message).toEqual(body)
    expect(metadata).toMatchObject({
      id: "event-1",
      subject: "from the body",
      label: "from the broker",
      messageId: "other",
      eventTime: "11/24/2026 10:00:00",
      data: { objectName: "n", at: "2026-11-24T10:00:00Z" },
      isNew: "True",
      size: 5,
      deliveryCount: 1,
    })
    expect(metadata).not.toHaveProperty("nothing")
  })

  it.each([
    { name: "a number", body: Buffer.from("12"), seen: 12 },
    { name: "text that is no JSON", body: Buffer.from("{12"), seen: "{12" },
    { name: "a byte order mark", body: Buffer.from("\uFEFF{}"), seen: {} },
    { name: "UTF-16 with its mark", body: Buffer.from("\uFEFF[1]", "utf16le"), seen: [1] },
    { name: "bytes that are not UTF-8", body: Buffer.from([0x7b, 0xff, 0x7d]), seen: "{\uFFFD}" },
  ])("read $name", async ({ body, seen }) => {
    const { saw } = host
    await bus.send({ body })
    await eventually(() => saw("receive").length === 1)
    expect(saw("receive")[0]).toMatchObject({ message: seen, isBuffer: false })
  })

  it("take bytes with dataType binary, and batches with cardinality many", async () => {
    const { saw } = host
    await bus.send({ body: Buffer.from([0, 255]) }, "bytes")
    await bus.send(
      [
        { body: { n: 1 }, messageId: "a" },
        { body: "text", messageId: "b" },
      ],
      "many",
    )
    await eventually(() => saw("receiveBytes").length === 1 && saw("receiveMany").length === 1)
    expect(saw("receiveBytes")[0]).toMatchObject({ hex: "00ff", metadata: { deliveryCount: 1 } })
    expect(saw("receiveMany")[0]).toEqual({
      messages: [{ n: 1 }, "text"],
      messageIdArray: ["a", "b"],
      deliveryCountArray: [1, 1],
      sequenceNumberArray: [1, 2],
    })
    await eventually(() => bus.counts("many").locked === 0 && bus.counts("bytes").locked === 0)
    expect(bus.counts("many")).toMatchObject(emptied)
    expect(bus.counts("bytes")).toMatchObject(emptied)
  })
})
