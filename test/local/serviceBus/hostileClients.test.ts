import { once } from "node:events"
import net from "node:net"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { aRawClient } from "./aRawClient.ts"
import { type ABus, aBus, type Client, until } from "./aServiceBus.ts"

const saslHeader = Buffer.from("AMQP\u0003\u0001\u0000\u0000", "latin1")
const amqpHeader = Buffer.from("AMQP\u0000\u0001\u0000\u0000", "latin1")
/** An open frame with nothing but a container id. */
const open = Buffer.from("00000015020000000053 10c008 01a1 05 68656c6c6f".replaceAll(" ", ""), "hex")

describe("startServiceBus among hostile clients", () => {
  let a: ABus
  let client: Client
  beforeEach(async () => {
    a = await aBus({ limits: { tokenWithinMs: 600, frameWithinMs: 200, drainWithinMs: 300 } })
    client = a.client()
    await client.createSender("q").sendMessages({ body: "before" })
  })
  afterEach(() => a[Symbol.asyncDispose]())

  async function expectStillServed(): Promise<void> {
    await client.createSender("q").sendMessages({ body: "after" })
    await a.client("tls").createSender("q").sendMessages({ body: "after" })
    expect(a.bus.counts()["q"]!.active).toBe(3)
  }

  it.each([
    {
      name: "text",
      bytes: [Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
      why: "Invalid protocol header",
    },
    { name: "noise", bytes: [Buffer.alloc(4096, 0xa5)], why: "Invalid protocol header" },
    { name: "an old protocol", bytes: [Buffer.from("AMQP\u0000\u0000\u0009\u0001", "latin1")], why: "0-9-1" },
    { name: "half a header", bytes: [saslHeader.subarray(0, 5)], why: "left unfinished" },
    { name: "nothing after the header", bytes: [amqpHeader], why: "no valid token in time" },
    { name: "a frame of no size", bytes: [amqpHeader, Buffer.alloc(16)], why: "closed a connection" },
    {
      name: "a frame of 2 GB",
      bytes: [amqpHeader, Buffer.from("7fffffff02000000", "hex")],
      why: "larger than agreed",
    },
    { name: "half a frame", bytes: [amqpHeader, open, open.subarray(0, 10)], why: "left unfinished" },
    { name: "frames before open", bytes: [amqpHeader, frame("005314c00101")], why: "closed a connection" },
    { name: "two opens", bytes: [amqpHeader, open, open], why: "Open already received" },
    {
      name: "a broken list",
      bytes: [amqpHeader, frame("005310d0ffffffffffffffff")],
      why: "closed a connection",
    },
    {
      name: "values nested without end",
      bytes: [amqpHeader, frame("00".repeat(60_000))],
      why: "closed a connection",
    },
  ])(
    "closes the connection of a client that sends $name, logs one line, and serves the others",
    async (row) => {
      const socket = net.connect(a.bus.plainPort, "127.0.0.1")
      socket.on("error", () => {}).resume()
      for (const bytes of row.bytes) socket.write(bytes)
      await once(socket, "close")
      await until(() => a.logged.length > 0)
      expect(a.logged).toEqual([expect.stringContaining(row.why)])
      await expectStillServed()
    },
  )

  function frame(performative: string): Buffer {
    const body = Buffer.from(performative, "hex")
    const head = Buffer.from([0, 0, 0, 0, 2, 0, 0, 0])
    head.writeUInt32BE(body.length + 8)
    return Buffer.concat([head, body])
  }

  it("survives random bytes behind a valid header", async () => {
    let seed = 7
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) >>> 16
    const sockets = Array.from({ length: 60 }, () => {
      const socket = net.connect(a.bus.plainPort, "127.0.0.1")
      socket.on("error", () => {}).resume()
      const noise = Buffer.from(Array.from({ length: 200 }, () => random() & 0xff))
      socket.write(Buffer.concat([amqpHeader, open, frame(noise.toString("hex"))]))
      return socket
    })
    await Promise.all(sockets.map((socket) => once(socket, "close")))
    expect(a.logged).toHaveLength(60)
    await expectStillServed()
  })

  it.each([
    { name: "text", bytes: Buffer.from("nonsense") },
    { name: "a data section that ends too early", bytes: Buffer.from("005375b0ffffffff", "hex") },
    { name: "a section without descriptor", bytes: Buffer.from("a00161", "hex") },
    { name: "properties that are no list", bytes: Buffer.from("005373a00161", "hex") },
  ])("refuses a message that is $name, and keeps the connection", async ({ bytes }) => {
    const raw = await aRawClient(a.bus)
    expect(await raw.send("q", bytes)).toMatchObject({ condition: "amqp:decode-error" })
    expect(await raw.send("q", bytes, 0x8001_3700)).toMatchObject({ condition: "amqp:decode-error" })
    raw.close()
    expect(a.logged).toEqual([])
    expect(a.bus.counts()["q"]!.active).toBe(1)
  })

  it("stops writing to a client that does not read, and drops it", async () => {
    const sender = client.createSender("q")
    const body = Buffer.alloc(200_000, 1)
    for (let n = 0; n < 60; n += 1) await sender.sendMessages({ body })
    const raw = await aRawClient(a.bus)
    raw.receive("q", 100)
    raw.pause()
    await until(() => a.logged.length > 0, 5000)
    expect(a.logged).toEqual(["service bus: closed a connection: the client does not read"])
    const { active, locked } = a.bus.counts()["q"]!
    expect(active + locked).toBe(61)
    expect(active).toBeGreaterThan(20)
    raw.close()
  })
})
