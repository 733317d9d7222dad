/**
 * How many messages a second the local Service Bus takes and gives, with the real client. Broker and client are two
 * processes. Usage: `node bench/broker.ts [--messages N] [--json FILE]`.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { ServiceBusClient } from "@azure/service-bus"
import { createAccessControl } from "../local/access/accessControl.ts"
import { newTokenAuthorityState, openTokenAuthority } from "../local/access/tokenAuthority.ts"
import { createFaultBook } from "../local/faults/faultBook.ts"
import { startServiceBus } from "../local/serviceBus/startServiceBus.ts"
import { createCertificateAuthority } from "../local/tls/certificateAuthority.ts"

interface Row {
  readonly inFlight: number
  readonly sentPerSecond: number
  readonly completedPerSecond: number
}

const queue = "bench"
const inFlightLevels = [1, 16, 200] as const
const bodyBytes = 600

if (process.send) await serve()
else await measure()

async function serve(): Promise<void> {
  const { issue } = await createCertificateAuthority()
  const bus = await startServiceBus({
    authority: openTokenAuthority(newTokenAuthorityState()),
    access: createAccessControl({ user: ["*"] }),
    faults: createFaultBook(),
    tls: await issue([]),
    queues: [{ name: queue, lockDurationMs: 60_000, maxDeliveryCount: 10 }],
    ...(process.env["BENCH_DIRECTORY"] ? { directory: process.env["BENCH_DIRECTORY"] } : {}),
  })
  process.send?.(bus.connectionString)
  process.once("disconnect", () => void bus.stop())
}

async function measure(): Promise<void> {
  const { values } = parseArgs({ options: { messages: { type: "string" }, json: { type: "string" } } })
  const messages = Number(values.messages ?? 20_000)
  const broker = fork(import.meta.filename, { stdio: "inherit" })
  const [connectionString] = (await once(broker, "message")) as [string]
  const rows: Row[] = []
  for (const inFlight of inFlightLevels) rows.push(await measureRow(connectionString, inFlight, messages))
  await close(broker)
  console.log(
    `${messages} messages of ${bodyBytes} bytes, ${availableParallelism()} cores, Node ${process.version}`,
  )
  console.table(
    rows.map(({ inFlight, sentPerSecond, completedPerSecond }) => ({
      "in flight": inFlight,
      "sent/s": Math.round(sentPerSecond),
      "received and completed/s": Math.round(completedPerSecond),
    })),
  )
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ messages, bodyBytes, rows }, undefined, 2)}\n`)
}

async function measureRow(connectionString: string, inFlight: number, messages: number): Promise<Row> {
  const client = new ServiceBusClient(connectionString)
  const sender = client.createSender(queue)
  await sender.createMessageBatch()
  const body = { change: { format: "bench", filler: "x".repeat(bodyBytes - 40) } }
  const count = inFlight === 1 ? Math.ceil(messages / 10) : messages
  const sendSeconds = await timed(async () => {
    let next = 0
    const worker = async () => {
      while (next++ < count) await sender.sendMessages({ body })
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  })
  const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 })
  const receiveSeconds = await timed(
    () =>
      new Promise<void>((resolve, reject) => {
        let completed = 0
        receiver.subscribe(
          {
            processMessage: async (message) => {
              await receiver.completeMessage(message)
              completed += 1
              if (completed === count) resolve()
            },
            processError: async ({ error }) => reject(error),
          },
          { maxConcurrentCalls: inFlight, autoCompleteMessages: false },
        )
      }),
  )
  await client.close()
  return { inFlight, sentPerSecond: count / sendSeconds, completedPerSecond: count / receiveSeconds }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1000
}

async function close(broker: ChildProcess): Promise<void> {
  broker.disconnect()
  await once(broker, "exit")
}
