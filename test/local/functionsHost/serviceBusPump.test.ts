import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type FixtureBus, startFixtureBus } from "./fixtureBus.ts"
import { bundleFixture, eventually, type FixtureApp } from "./fixtureHost.ts"

let app: FixtureApp
let bus: FixtureBus

beforeAll(async () => {
  app = await bundleFixture()
})
beforeEach(async () => {
  await app.writeHostJson({ maxConcurrentCalls: 4 })
  bus = await startFixtureBus(app)
})
afterEach(() => bus.stop())
afterAll(() => app.remove())

const emptied = { active: 0, locked: 0, deadLettered: 0 }

describe("Service Bus functions", () => {
  it("receive with a managed identity over TLS and complete what returns", async () => {
    const { invocations, saw } = await bus.start(bus.identitySettings)
    await bus.send({ body: { hello: "there" } })
    await eventually(() => saw("receive").length === 1)
    expect(saw("receive")[0]).toMatchObject({ message: { hello: "there" } })
    await eventually(() => bus.counts().locked === 0)
    expect(bus.counts()).toMatchObject(emptied)
    expect(invocations).toMatchObject([{ function: "receive", ok: true }])
  })

  it("abandon what throws: it comes back at once with a higher count, and is dead-lettered in the end", async () => {
    const { invocations, logs, saw } = await bus.start()
    await bus.send({ body: { throw: "no luck" } })
    await eventually(() => bus.counts().deadLettered === 1, 1500)
    await eventually(() => invocations.length === 3)
    const counts = saw("receive").map(
      ({ metadata }) => (metadata as Record<string, unknown>)["deliveryCount"],
    )
    expect(counts).toEqual([1, 2, 3])
    expect(invocations[0]).toMatchObject({ ok: false, error: "no luck" })
    expect(logs).toContainEqual(
      expect.objectContaining({
        level: "error",
        category: "system",
        message: "Executed 'receive' (Failed): no luck",
      }),
    )
    const hook = logs.find((line) => line.message.startsWith("HOOK "))
    expect(JSON.parse(hook!.message.slice(5))).toEqual({ startedBy: "preInvocation", failed: true })
  })

  it("fail on a body that is no text, so that it is dead-lettered", async () => {
    const { logs } = await bus.start()
    const message = { bodyType: "sequence", body: [[1, 2]], properties: { messageId: "m" } } as const
    await bus.client.createSender("orders").sendMessages(message)
    await eventually(() => bus.counts().deadLettered === 1)
    const line = await eventually(() => logs.find(({ message }) => message.includes("sequence body message")))
    expect(line).toMatchObject({ level: "error", category: "system", function: "receive" })
  })

  it("run no more than maxConcurrentCalls at once, and renew locks while they run", async () => {
    const { saw } = await bus.start()
    await bus.send(Array.from({ length: 6 }, (_, n) => ({ body: { waitMs: 1800, n } })))
    await eventually(() => saw("receive").length === 4)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(saw("receive")).toHaveLength(4)
    expect(bus.counts()).toMatchObject({ locked: 4, active: 2 })
    await eventually(() => saw("receive").length === 6)
    // Longer than the lock of 1 s: without renewal the first four would have come back.
    expect(new Set(saw("receive").map(({ message }) => (message as { n: number }).n)).size).toBe(6)
  })

  it("log a lost lock in one line and go on", async () => {
    await app.writeHostJson({ maxConcurrentCalls: 1, maxAutoLockRenewalDuration: "00:00:00" })
    const { logs, saw } = await bus.start()
    await bus.send({ body: { waitMs: 1400 } })
    const line = await eventually(() => logs.find(({ message }) => message.includes("Action=complete")))
    expect(line).toMatchObject({ level: "error", category: "system", function: "receive" })
    expect(line.message).toMatch(/EntityPath=orders.*MessageLockLost/)
    expect(line.message).not.toContain("\n")
    await eventually(() => saw("receive").length >= 2)
  })

  it("leave the message locked when autoCompleteMessages is off", async () => {
    await app.writeHostJson({ autoCompleteMessages: false, maxAutoLockRenewalDuration: "00:00:00" })
    const { saw, invocations } = await bus.start()
    await bus.send({ body: {} })
    await eventually(() => invocations.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(bus.counts()).toMatchObject({ locked: 1 })
    await eventually(() => saw("receive").length === 2)
  })

  it("settle what they hold before the host stops, and leave the rest in the queue", async () => {
    const { host, saw, invocations } = await bus.start()
    await bus.send(Array.from({ length: 10 }, () => ({ body: { waitMs: 600 } })))
    await eventually(() => saw("receive").length === 4)
    await host.stop()
    expect((await host.whenExit).code).toBe(0)
    expect(invocations.every(({ ok }) => ok)).toBe(true)
    const completed = invocations.length
    expect(completed).toBeLessThan(10)
    expect(bus.counts()).toMatchObject({ active: 10 - completed, locked: 0 })
  })

  it("lose nothing when the host is killed in the middle: the locks expire and another host goes on", async () => {
    const first = await bus.start()
    await bus.send(Array.from({ length: 4 }, (_, n) => ({ body: { waitMs: 30_000, n }, messageId: `m${n}` })))
    await eventually(() => first.saw("receive").length === 4)
    await first.host.kill()
    expect(bus.counts()).toMatchObject({ locked: 4 })
    const second = await bus.start()
    await eventually(() => second.saw("receive").length === 4)
    expect(second.saw("receive")).toMatchObject(
      Array.from({ length: 4 }, () => ({ metadata: { deliveryCount: 2 } })),
    )
  })

  it("share a queue between two hosts", async () => {
    const [one, other] = await Promise.all([bus.start(), bus.start()])
    await bus.send(Array.from({ length: 40 }, (_, n) => ({ body: { waitMs: 20, n } })))
    await eventually(() => one.invocations.length + other.invocations.length === 40)
    expect(one.invocations.length).toBeGreaterThan(0)
    expect(other.invocations.length).toBeGreaterThan(0)
  })

  it("come back by themselves when their connection is cut while they settle", async () => {
    const { saw, logs } = await bus.start()
    bus.faults.add({ target: "servicebus", match: { method: "settle" }, effect: "cut", count: 1 })
    await bus.send({ body: { n: 1 } })
    await eventually(() => saw("receive").length === 1)
    await bus.send({ body: { n: 2 } })
    await eventually(() => saw("receive").length === 3)
    await eventually(() => bus.counts().active === 0 && bus.counts().locked === 0)
    const deliveries = saw("receive").map(({ message, metadata }) => [
      (message as { n: number }).n,
      (metadata as { deliveryCount: number }).deliveryCount,
    ])
    // The lock of the first had to expire, since its completion was lost.
    expect(deliveries).toEqual(
      expect.arrayContaining([
        [1, 1],
        [1, 2],
        [2, 1],
      ]),
    )
    const line = logs.find(({ function: name }) => name === "receiveMany")
    expect(line).toMatchObject({ level: "error", message: expect.stringContaining("Action=receive") })
  })
})
