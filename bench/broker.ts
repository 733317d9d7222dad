/**
 * How many messages a second the local Service Bus takes and gives, with the real client. Broker and client are two
 * processes on one machine, so the client's own cost is in the figures; the broker's share is told apart. Below it the
 * whole local cloud: start-up, memory, and the pipeline's own speed.
 *
 * Usage: `node bench/broker.ts [--messages N] [--keep] [--json FILE]`; with `--keep` the queues are kept on disk.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { ServiceBusClient } from "@azure/service-bus"
import { createAccessControl } from "../local/access/accessControl.ts"
import { newTokenAuthorityState, openTokenAuthority } from "../local/access/tokenAuthority.ts"
import { createFaultBook } from "../local/faults/faultBook.ts"
import { startServiceBus } from "../local/serviceBus/startServiceBus.ts"
import { createCertificateAuthority } from "../local/tls/certificateAuthority.ts"
import { startChild } from "./childProcess.ts"
import type { LocalCloudReport } from "./localCloud.ts"

interface Rate {
  readonly perSecond: number
  /** Microseconds of broker CPU a message. */
  readonly brokerMicroseconds: number
}

interface Row {
  readonly inFlight: number
  readonly send: Rate
  readonly receiveAndComplete: Rate
}

const queue = "bench"
const inFlightLevels = [1, 16, 200] as const
const bodyBytes = 600

if (process.send) await serve(process.argv[2])
else await measure()

async function serve(directory: string | undefined): Promise<void> {
  const { issue } = await createCertificateAuthority()
  const bus = await startServiceBus({
    authority: openTokenAuthority(newTokenAuthorityState()),
    access: createAccessControl({ user: ["*"] }),
    faults: createFaultBook(),
    tls: await issue([]),
    queues: [{ name: queue, lockDurationMs: 60_000, maxDeliveryCount: 10 }],
    ...(directory ? { directory } : {}),
  })
  process.on("message", () => process.send?.(process.cpuUsage()))
  process.once("disconnect", () => void bus.stop())
  process.send?.(bus.connectionString)
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: { messages: { type: "string" }, keep: { type: "boolean" }, json: { type: "string" } },
  })
  const messages = Number(values.messages ?? 20_000)
  const directory = values.keep ? mkdtempSync(join(tmpdir(), "bench-broker-")) : undefined
  const broker = fork(import.meta.filename, directory ? [directory] : [], { stdio: "inherit" })
  const [connectionString] = (await once(broker, "message")) as [string]
  const rows: Row[] = []
  for (const inFlight of inFlightLevels)
    rows.push(await measureRow(broker, connectionString, inFlight, messages))
  broker.disconnect()
  await once(broker, "exit")
  if (directory) rmSync(directory, { recursive: true })
  print(rows, messages, directory !== undefined)
  const cloud = await measureCloud(rows)
  if (values.json) {
    const result = { messages, bodyBytes, kept: directory !== undefined, rows, cloud }
    writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  }
}

/** The whole cloud beside it: start-up, memory, and the pipeline's own speed, of which the broker must be far from the limit. */
async function measureCloud(rows: readonly Row[]): Promise<LocalCloudReport> {
  const child = startChild("localCloud.ts")
  const cloud = await child.ask<LocalCloudReport>()
  await child.stop()
  console.log(
    `The whole local cloud: started in ${Math.round(cloud.startUpMs)} ms; resident memory ${Math.round(cloud.serversMb)} MB ` +
      `(servers) and ${Math.round(cloud.functionsMb)} MB (functions host)`,
  )
  const broker = rows.find(({ inFlight }) => inFlight === 16)?.receiveAndComplete.perSecond ?? 0
  console.log(
    `Its pipeline at 16 in flight: ${Math.round(cloud.pipelinePerSecond)} versions/s from event to stored blob; ` +
      `the broker alone gives ${(broker / cloud.pipelinePerSecond).toFixed(1)} times as many messages`,
  )
  return cloud
}

async function measureRow(
  broker: ChildProcess,
  connectionString: string,
  inFlight: number,
  messages: number,
): Promise<Row> {
  const client = new ServiceBusClient(connectionString)
  const sender = client.createSender(queue)
  // Opens the link, which is not what is measured.
  await sender.createMessageBatch()
  const count = inFlight === 1 ? Math.ceil(messages / 10) : messages
  const body = { filler: "x".repeat(bodyBytes - '{"filler":""}'.length) }
  const send = await rate(broker, count, async () => {
    let next = 0
    const worker = async () => {
      while (next++ < count) await sender.sendMessages({ body })
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  })
  const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 })
  const receiveAndComplete = await rate(broker, count, () => receiveAll(receiver, count, inFlight))
  await client.close()
  return { inFlight, send, receiveAndComplete }
}

function receiveAll(
  receiver: ReturnType<ServiceBusClient["createReceiver"]>,
  count: number,
  maxConcurrentCalls: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
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
      { maxConcurrentCalls, autoCompleteMessages: false },
    )
  })
}

async function rate(broker: ChildProcess, count: number, work: () => Promise<void>): Promise<Rate> {
  const cpuBefore = await cpuMicroseconds(broker)
  const startedMs = performance.now()
  await work()
  const seconds = (performance.now() - startedMs) / 1000
  const brokerMicroseconds = ((await cpuMicroseconds(broker)) - cpuBefore) / count
  return { perSecond: count / seconds, brokerMicroseconds }
}

async function cpuMicroseconds(broker: ChildProcess): Promise<number> {
  broker.send("cpu")
  const [{ user, system }] = (await once(broker, "message")) as [NodeJS.CpuUsage]
  return user + system
}

function print(rows: readonly Row[], messages: number, isKept: boolean): void {
  const kept = isKept ? ", kept on disk" : ""
  console.log(
    `${messages} messages of ${bodyBytes} bytes${kept}, ${availableParallelism()} cores, ${process.version}`,
  )
  console.table(
    rows.map(({ inFlight, send, receiveAndComplete }) => ({
      "in flight": inFlight,
      "sent/s": Math.round(send.perSecond),
      "broker us/sent": Math.round(send.brokerMicroseconds),
      "received and completed/s": Math.round(receiveAndComplete.perSecond),
      "broker us/received": Math.round(receiveAndComplete.brokerMicroseconds),
    })),
  )
}
