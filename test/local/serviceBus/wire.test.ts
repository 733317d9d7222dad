import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import rhea from "rhea"
import type { EventContext } from "rhea"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type RawClient, aRawClient } from "./aRawClient.ts"
import { type ABus, aBus, receive, send, until } from "./aServiceBus.ts"

const { message: codec, types } = rhea

describe("startServiceBus on the wire", () => {
  let a: ABus
  let raw: RawClient
  beforeEach(async () => {
    a = await aBus({
      queues: [
        { name: "q", lockDurationMs: 60_000, maxDeliveryCount: 10 },
        { name: "brief", lockDurationMs: 1000, maxDeliveryCount: 10 },
      ],
    })
    raw = await aRawClient(a.bus)
  })
  afterEach(async () => {
    raw.close()
    await a[Symbol.asyncDispose]()
  })

  const encode = (fields: object) => codec.encode({ body: codec.data_section(Buffer.from("b")), ...fields })

  const batchFormat = 0x8001_3700
  const batchOf = (count: number) =>
    codec.encode({ body: codec.data_sections(Array.from({ length: count }, () => encode({}))) })

  it("keeps the sender's sections to the byte, and every type in them", async () => {
    const sections = codec.encode({
      message_id: Buffer.alloc(16, 7),
      application_properties: {
        long: types.wrap_long(3),
        int: types.wrap_int(3),
        uuid: types.wrap_uuid(Buffer.alloc(16, 9)),
        at: types.wrap_timestamp(1_700_000_000_000),
      },
      body: types.wrap_map({ x: types.wrap_ubyte(1) }),
      footer: { f: 1 },
    })
    await raw.send("q", sections)
    const receiver = raw.receive("q", 1)
    const bytes = await receivedBytes(receiver)
    const ownAt = sections.indexOf(Buffer.from("005373", "hex"))
    expect(bytes.subarray(bytes.indexOf(Buffer.from("005373", "hex"))).toString("hex")).toBe(
      sections.subarray(ownAt).toString("hex"),
    )
  })

  /** rhea decodes format 0; this reads the frames before it does. */
  async function receivedBytes(receiver: ReturnType<RawClient["receive"]>): Promise<Buffer> {
    const session = receiver.session as unknown as { on_transfer(frame: { payload: Buffer }): void }
    const onTransfer = session.on_transfer.bind(session)
    return new Promise((resolve) => {
      session.on_transfer = (frame) => {
        resolve(Buffer.from(frame.payload))
        onTransfer(frame)
      }
    })
  }

  it("counts deliveries from 0, whatever the sender says", async () => {
    await raw.send("q", encode({ delivery_count: 8 }))
    const [{ message }] = (await once(raw.receive("q", 1), "message")) as [EventContext]
    expect(message?.delivery_count).toBe(0)
  })

  it("drops what a sender writes into the broker's annotations, and keeps the others", async () => {
    const spoofed = {
      "x-opt-sequence-number": types.wrap_long(99),
      "x-opt-locked-until": types.wrap_timestamp(0),
    }
    await raw.send("q", encode({ message_annotations: { ...spoofed, "x-opt-partition-key": "kept" } }))
    const receiver = raw.receive("q", 1)
    const received = once(receiver, "message")
    const bytes = await receivedBytes(receiver)
    expect(bytes.toString("latin1").split("x-opt-sequence-number")).toHaveLength(2)
    const [{ message }] = (await received) as [EventContext]
    expect(message?.message_annotations).toMatchObject({
      "x-opt-sequence-number": 1,
      "x-opt-partition-key": "kept",
      "x-opt-enqueue-sequence-number": 0,
      "x-opt-message-state": 0,
    })
    expect(message?.message_annotations?.["x-opt-locked-until"].getTime()).toBeGreaterThan(Date.now())
  })

  it("gives the lock token in .NET byte order as the delivery tag", async () => {
    await raw.send("q", encode({}))
    const [{ delivery }] = (await once(raw.receive("q", 1), "message")) as [EventContext]
    const tag = delivery!.tag as Buffer
    const token = Buffer.concat([
      Buffer.from(tag.subarray(0, 4)).reverse(),
      Buffer.from(tag.subarray(4, 6)).reverse(),
      Buffer.from(tag.subarray(6, 8)).reverse(),
      tag.subarray(8),
    ])
    const renewed = await raw.manage("q", "com.microsoft:renew-lock", {
      "lock-tokens": types.wrap_array([token], 0x98, undefined),
    })
    expect(renewed["statusCode"]).toBe(200)
    const unswapped = await raw.manage("q", "com.microsoft:renew-lock", {
      "lock-tokens": types.wrap_array([tag], 0x98, undefined),
    })
    expect(unswapped).toMatchObject({ statusCode: 410, errorCondition: "com.microsoft:message-lock-lost" })
  })

  it("lets a lock run out when its connection is lost, and does not give it back before", async () => {
    await raw.send("brief", encode({}))
    await once(raw.receive("brief", 1), "message")
    const startedMs = Date.now()
    raw.close()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(a.bus.counts()["brief"]).toMatchObject({ active: 0, locked: 1 })
    const other = await aRawClient(a.bus)
    const [{ message }] = (await once(other.receive("brief", 1), "message")) as [EventContext]
    expect(Date.now() - startedMs).toBeGreaterThan(600)
    expect(message?.delivery_count).toBe(1)
    other.close()
  })

  it("settles more deliveries on one session than its buffer holds, for a client that never settles itself", async () => {
    const count = 5000
    for (let sent = 0; sent < count; sent += 500) {
      await raw.send("q", batchOf(500), batchFormat)
    }
    let settled = 0
    const receiver = raw.receive("q", 100, { rcv_settle_mode: 1, snd_settle_mode: 0, autosettle: false })
    receiver.on("message", ({ delivery }: EventContext) => delivery!.update(false, accept()))
    receiver.on("settled", ({ delivery }: EventContext) => {
      settled += 1
      delivery!.update(true)
      receiver.add_credit(1)
    })
    await until(() => settled === count, 15_000)
    expect(a.bus.counts()["q"]).toMatchObject({ active: 0, locked: 0 })
    expect(a.logged).toEqual([])
  })

  function accept(): unknown {
    return (codec as unknown as { accepted(): { described(): unknown } }).accepted().described()
  }

  it("never sends more than the credit, however much waits", async () => {
    await raw.send("q", batchOf(30), batchFormat)
    let count = 0
    raw.receive("q", 5).on("message", () => (count += 1))
    await until(() => count === 5)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(count).toBe(5)
    expect(a.bus.counts()["q"]).toMatchObject({ active: 25, locked: 5 })
  })

  it("gives each receiver its turn", async () => {
    const counts = [0, 0]
    for (const at of [0, 1]) raw.receive("q", 50).on("message", () => (counts[at]! += 1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await raw.send("q", batchOf(6), batchFormat)
    await until(() => counts.reduce((sum, count) => sum + count) === 6)
    expect(counts).toEqual([3, 3])
  })

  it("takes addresses with a leading slash or a scheme, and management in any case", async () => {
    await raw.send("/Q", encode({}))
    await raw.send("sb://localhost/q", encode({}))
    expect(a.bus.counts()["q"]!.active).toBe(2)
    expect(await raw.manage("/Q/$DeadLetterQueue", "com.microsoft:peek-message", peekAll)).toMatchObject({
      statusCode: 204,
    })
    expect(await raw.manage("Q", "com.microsoft:peek-message", peekAll)).toMatchObject({ statusCode: 200 })
  })
  const peekAll = { "from-sequence-number": types.wrap_long(0), "message-count": types.wrap_int(10) }

  it.each([
    { name: "peek-message", body: "text" },
    { name: "renew-lock", body: { "lock-tokens": "x" } },
    { name: "schedule-message", body: { messages: [{ message: "x" }] } },
    { name: "receive-by-sequence-number", body: { "sequence-numbers": [1, 2] } },
    { name: "update-disposition", body: { "lock-tokens": [], "disposition-status": "eaten" } },
    { name: "get-message-sessions", body: {} },
  ])("answers a senseless $name without harm", async ({ name, body }) => {
    const answer = await raw.manage("q", `com.microsoft:${name}`, body)
    expect(answer["statusCode"]).toEqual(expect.any(Number))
    expect(a.bus.counts()["q"]).toMatchObject({ active: 0, locked: 0, scheduled: 0 })
    expect(a.logged).toEqual([])
  })

  it("answers a session receiver and a transaction with the error of the service", async () => {
    const session = raw.connection.open_receiver({
      source: { address: "q", filter: { "com.microsoft:session-filter": types.wrap_string("s") } },
    })
    await once(session, "receiver_error")
    expect(session.error).toMatchObject({
      condition: "amqp:not-allowed",
      description: expect.stringContaining("does not require sessions"),
    })
    const coordinator = raw.connection.open_sender({ target: {} })
    await once(coordinator, "sender_error")
    expect(coordinator.error).toMatchObject({ condition: "amqp:not-implemented" })
  })

  it("asks for the right claim of each management operation", async () => {
    a.access.setRoles({ user: [send] })
    const at = codec.encode({ body: 1, message_annotations: {} })
    const scheduled = { messages: types.wrap_list([types.wrap_map({ message: types.wrap_binary(at) })]) }
    expect(await raw.manage("q", "com.microsoft:schedule-message", scheduled)).toMatchObject({
      statusCode: 200,
    })
    expect(await raw.manage("q", "com.microsoft:peek-message", peekAll)).toMatchObject({
      statusCode: 401,
      errorCondition: "amqp:unauthorized-access",
    })
    a.access.setRoles({ user: [receive] })
    expect(await raw.manage("q", "com.microsoft:peek-message", peekAll)).toMatchObject({ statusCode: 200 })
    expect(await raw.manage("q", "com.microsoft:schedule-message", scheduled)).toMatchObject({
      statusCode: 401,
    })
  })

  it("lets its process end once it is stopped, with clients connected", async () => {
    const directory = mkdtempSync(join(tmpdir(), "service-bus-"))
    const child = fork(new URL("./brokerProcess.ts", import.meta.url), [directory, "a2V5"])
    const [connectionString] = (await once(child, "message")) as [string]
    const other = await aRawClient({
      connectionString,
      plainPort: Number(/:(\d+);/.exec(connectionString)?.[1]),
    })
    other.receive("q", 10)
    // It does not answer the close, as a client that hangs would.
    other.pause()
    const exited = once(child, "exit", { signal: AbortSignal.timeout(5000) })
    child.send("stop")
    expect(await exited).toEqual([0, null])
    other.close()
    rmSync(directory, { recursive: true })
  })

  it("stops at once with clients connected, twice without harm", async () => {
    raw.receive("q", 10)
    const closed = once(raw.connection, "connection_close")
    const startedMs = Date.now()
    await Promise.all([a.bus.stop(), a.bus.stop()])
    expect(Date.now() - startedMs).toBeLessThan(500)
    await closed
  })
})
