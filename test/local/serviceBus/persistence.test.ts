import { type ChildProcess, fork, spawnSync } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { ServiceBusClient, type ServiceBusReceivedMessage } from "@azure/service-bus"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { openJournal } from "../../../local/serviceBus/journalFile.ts"
import type { QueueSettings } from "../../../local/serviceBus/queueEntry.ts"
import { type ABus, aBus, until } from "./aServiceBus.ts"

const lockDurationMs = 60_000
const queues: readonly QueueSettings[] = [
  { name: "Q", lockDurationMs, maxDeliveryCount: 3, duplicateWindowMs: 60_000 },
]

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "service-bus-"))
})
afterEach(() => rmSync(directory, { recursive: true }))
const file = () => join(directory, "queues.jsonl")

describe("startServiceBus with a directory", () => {
  let a: ABus
  beforeEach(async () => {
    a = await aBus({ queues, directory })
  })
  afterEach(() => a[Symbol.asyncDispose]())

  async function restart(settings = queues): Promise<void> {
    await a[Symbol.asyncDispose]()
    a = await aBus({ queues: settings, directory })
  }
  const counts = () => a.bus.counts()["Q"]!

  it("keeps messages in every state, with all that belongs to them", async () => {
    const client = a.client()
    const sender = client.createSender("q")
    const receiver = client.createReceiver("q")
    for (const messageId of ["deferred", "dead", "done", "waiting"]) {
      await sender.sendMessages({ body: Buffer.from([0xff, 1]), messageId, applicationProperties: { n: 1 } })
    }
    const at = new Date(Date.now() + 60_000)
    await sender.scheduleMessages({ body: 2, messageId: "scheduled", timeToLive: 90_000 }, at)
    const messages = [await receiver.receiveMessages(1), await receiver.receiveMessages(1)].flat()
    await receiver.deferMessage(messages[0]!, { why: "later" })
    await receiver.deadLetterMessage(messages[1]!, { deadLetterReason: "r", deadLetterErrorDescription: "d" })
    const [done] = await receiver.receiveMessages(1)
    await receiver.completeMessage(done!)
    const before = await receiver.peekMessages(10)
    const beforeCounts = counts()
    await restart()
    expect(counts()).toEqual(beforeCounts)
    expect(counts()).toEqual({ active: 1, locked: 0, scheduled: 1, deferred: 1, deadLettered: 1 })
    const again = a.client().createReceiver("q")
    expect((await again.peekMessages(10)).map(facts)).toEqual(before.map(facts))
    const dead = a.client().createReceiver("q", { subQueueType: "deadLetter" })
    expect(await dead.receiveMessages(1)).toMatchObject([
      { messageId: "dead", deadLetterReason: "r", deadLetterSource: "Q", applicationProperties: { n: 1 } },
    ])
  })

  function facts(message: ServiceBusReceivedMessage) {
    const { body, messageId, state, sequenceNumber, enqueuedTimeUtc, applicationProperties, timeToLive } =
      message
    return {
      body: body as unknown,
      messageId,
      state,
      sequenceNumber,
      enqueuedTimeUtc,
      applicationProperties,
      timeToLive,
    }
  }

  it("makes a scheduled message active when its time passed meanwhile, and expires one whose time is over", async () => {
    const sender = a.client().createSender("q")
    await sender.scheduleMessages({ body: 1 }, new Date(Date.now() + 300))
    await sender.sendMessages({ body: 2, timeToLive: 300 })
    await a[Symbol.asyncDispose]()
    await new Promise((resolve) => setTimeout(resolve, 350))
    a = await aBus({ queues, directory })
    await until(() => counts().active === 1 && counts().deadLettered === 1)
    expect(counts().scheduled).toBe(0)
  })

  it("counts a delivery that the stop broke off, and dead-letters after the last one", async () => {
    await a.client().createSender("q").sendMessages({ body: 1 })
    for (const deliveryCount of [0, 1, 2]) {
      expect(await a.client().createReceiver("q").receiveMessages(1)).toMatchObject([{ deliveryCount }])
      await restart()
    }
    expect(counts()).toMatchObject({ active: 0, deadLettered: 1 })
  })

  it("never gives a number twice, and remembers message ids", async () => {
    const sequenceAfterSend = async () => {
      const client = a.client()
      await client.createSender("q").sendMessages([{ body: 1 }, { body: 1, messageId: "same" }])
      const receiver = client.createReceiver("q", { receiveMode: "receiveAndDelete" })
      const messages = await receiver.receiveMessages(2, { maxWaitTimeInMs: 500 })
      return messages.map(({ sequenceNumber }) => sequenceNumber!.toNumber())
    }
    expect(await sequenceAfterSend()).toEqual([1, 2])
    await restart()
    await restart()
    expect(await sequenceAfterSend()).toEqual([3])
  })

  it("writes the file anew on start, without what is gone", async () => {
    const client = a.client()
    const sender = client.createSender("q")
    const receiver = client.createReceiver("q", { receiveMode: "receiveAndDelete" })
    for (let n = 0; n < 50; n += 1) await sender.sendMessages({ body: "x".repeat(1000) })
    while (counts().active > 0) await receiver.receiveMessages(50)
    const sizeBytes = statSync(file()).size
    await restart()
    expect(statSync(file()).size).toBeLessThan(sizeBytes / 5)
  })

  it("keeps the messages of a queue that is left out for a while", async () => {
    await a.client().createSender("q").sendMessages({ body: 1 })
    await restart([{ name: "other", lockDurationMs, maxDeliveryCount: 3 }])
    await restart()
    expect(counts().active).toBe(1)
  })
})

describe("openJournal", () => {
  it("leaves out a last line that is not whole, and refuses one in the middle", async () => {
    const entry = '["count","q",7]'
    appendFileSync(file(), `[${entry}]\n[["count","q",8`)
    const opened = await openJournal(directory)
    opened.close()
    expect(opened.snapshots.get("q")?.lastSequence).toBe(7)
    expect(readFileSync(file(), "utf8")).toBe(`[${entry}]\n`)
    appendFileSync(file(), `broken\n[${entry}]\n`)
    await expect(openJournal(directory)).rejects.toThrow("Line 2")
  })

  it("leaves no half line behind when the disk is full, and goes on with what fits", async () => {
    const script = fileURLToPath(new URL("./fullDisk.ts", import.meta.url))
    const limited = ["-c", 'ulimit -f 16; exec "$0" "$@"', process.execPath, script, directory]
    const { stdout } = spawnSync("sh", limited, { encoding: "utf8" })
    const committed = JSON.parse(stdout) as string[]
    expect(committed.length).toBeGreaterThan(20)
    // A long change did not fit, and a short one after it did.
    expect(Number.parseInt(committed.at(-1)!)).toBeGreaterThan(committed.length - 1)
    const { snapshots, close } = await openJournal(directory)
    close()
    expect([...(snapshots.get("q")?.seen.keys() ?? [])]).toEqual(committed)
  })

  it("writes what was noted together as one line, when it is committed", async () => {
    const { journal, close } = await openJournal(directory)
    journal.note({ op: "remove", queue: "q", sequence: 1 })
    journal.note({ op: "lock", queue: "q", sequence: 2 })
    expect(readFileSync(file(), "utf8")).toBe("")
    journal.commit()
    expect(readFileSync(file(), "utf8")).toBe('[["remove","q",1],["lock","q",2]]\n')
    close()
  })
})

describe("a broker that is killed", () => {
  const key = Buffer.from("key of this test").toString("base64")
  const processes: ChildProcess[] = []
  afterEach(() => processes.forEach((child) => child.kill("SIGKILL")))

  async function start(port = "0"): Promise<{ child: ChildProcess; connectionString: string }> {
    const child = fork(new URL("./brokerProcess.ts", import.meta.url), [directory, key, port])
    processes.push(child)
    const [connectionString] = (await once(child, "message")) as [string]
    return { child, connectionString }
  }

  it("has every message it accepted and none that it let complete", async () => {
    let { child, connectionString } = await start()
    const port = /127\.0\.0\.1:(\d+)/.exec(connectionString)![1]!
    const accepted = new Set<string>()
    const tried = new Set<string>()
    const completed = new Set<string>()
    for (let round = 0; round < 3; round += 1) {
      const client = new ServiceBusClient(connectionString, {
        retryOptions: { maxRetries: 0, timeoutInMs: 1000 },
      })
      const sender = client.createSender("q")
      const receiver = client.createReceiver("q")
      const sending = Array.from({ length: 8 }, async (_, worker) => {
        for (let n = 0; ; n += 1) {
          const messageId = `${round}-${worker}-${n}`
          await sender.sendMessages({ body: messageId, messageId })
          accepted.add(messageId)
        }
      })
      receiver.subscribe(
        {
          processMessage: async (message) => {
            if (Math.random() < 0.5) return
            // The broker may have completed it and died before it could say so.
            tried.add(String(message.messageId))
            await receiver.completeMessage(message)
            completed.add(String(message.messageId))
          },
          processError: async () => {},
        },
        { maxConcurrentCalls: 8, autoCompleteMessages: false },
      )
      await new Promise((resolve) => setTimeout(resolve, 700))
      child.kill("SIGKILL")
      await once(child, "exit")
      await Promise.allSettled(sending)
      await client.close().catch(() => {})
      ;({ child, connectionString } = await start(port))
    }
    const client = new ServiceBusClient(connectionString)
    const present = new Map<string, number>()
    for (const options of [{}, { subQueueType: "deadLetter" as const }]) {
      const receiver = client.createReceiver("q", options)
      for (
        let page = await receiver.peekMessages(250);
        page.length > 0;
        page = await receiver.peekMessages(250)
      ) {
        for (const { messageId } of page)
          present.set(String(messageId), (present.get(String(messageId)) ?? 0) + 1)
      }
    }
    await client.close()
    expect(accepted.size).toBeGreaterThan(300)
    expect(completed.size).toBeGreaterThan(100)
    expect([...accepted].filter((id) => !present.has(id) && !tried.has(id))).toEqual([])
    expect([...completed].filter((id) => present.has(id))).toEqual([])
    expect([...present].filter(([, times]) => times > 1)).toEqual([])
  })
})
