/**
 * How many dead letters a second are planned and replayed, and what memory that takes. Cloud and runner are two
 * processes, both made anew for every size. Usage: `node bench/replay.ts [--sizes 1000,10000,100000] [--json FILE]`.
 */
import { fork } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { ServiceBusClient } from "@azure/service-bus"
import { readLocalCloud } from "../cli/localCloud.ts"
import { type Cloud, startCloud } from "../local/cloud/startCloud.ts"
import { createCredential } from "../shared/azureCredential.ts"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { systemClock } from "../shared/clock.ts"
import { loadSettings } from "../shared/config.ts"
import { openAzureReplay, replaySettings } from "../shared/deadLetter/azureReplayParts.ts"
import { everything } from "../shared/deadLetter/replayFilter.ts"
import { countOf } from "../shared/deadLetter/replayPlan.ts"
import { planReplay, runReplay } from "../shared/deadLetter/runReplay.ts"
import { createLog } from "../shared/log.ts"
import { messageOf } from "./messageOf.ts"

/** What one runner measured. */
interface RunnerReport {
  readonly planned: number
  readonly planSeconds: number
  readonly sent: number
  readonly executeSeconds: number
  /** Of the heap after a collection, and of the process. */
  readonly peakHeapMb: number
  readonly peakResidentMb: number
}

const defaultSizes = "1000,4000"
const sendAtOnce = 200
/** Each sample costs a collection of the whole heap. */
const sampleEveryMs = 1000
const runnerFlags = ["--expose-gc"]

const [, , role, directory = ""] = process.argv
if (role === "cloud") await serveCloud(directory, Number(process.argv[4]))
else if (role === "runner") await measureRunner(directory)
else await measure()

async function measure(): Promise<void> {
  const { values } = parseArgs({ options: { sizes: { type: "string" }, json: { type: "string" } } })
  const sizes = (values.sizes ?? defaultSizes).split(",").map(Number)
  const rows: ({ readonly size: number } & RunnerReport)[] = []
  for (const size of sizes) rows.push({ size, ...(await measureSize(size)) })
  console.log(`${availableParallelism()} cores, Node ${process.version}`)
  console.table(
    rows.map((row) => ({
      "dead letters": row.size,
      "planned/s": Math.round(row.planned / row.planSeconds),
      "planned and executed/s": Math.round(row.sent / row.executeSeconds),
      "peak live heap MB": Math.round(row.peakHeapMb),
      "peak resident MB": Math.round(row.peakResidentMb),
    })),
  )
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ rows }, undefined, 2)}\n`)
}

async function measureSize(size: number): Promise<RunnerReport> {
  const folder = await mkdtemp(join(tmpdir(), "bench-replay-"))
  const cloud = fork(import.meta.filename, ["cloud", folder, String(size)], { stdio: "inherit" })
  await messageOf(cloud)
  const runner = fork(import.meta.filename, ["runner", folder], { stdio: "inherit", execArgv: runnerFlags })
  const report = (await messageOf(runner)) as RunnerReport
  cloud.disconnect()
  await once(cloud, "exit")
  await rm(folder, { recursive: true })
  return report
}

async function serveCloud(folder: string, size: number): Promise<void> {
  const cloud = await startCloud({
    directory: folder,
    settings: { BACKUP_PAUSED: "true" },
    runsTimers: false,
  })
  await fill(cloud, size)
  process.send?.("full")
  process.once("disconnect", () => void cloud.stop())
}

/** Messages whose time is over at once, so that the broker itself dead-letters them. */
async function fill({ file, serviceBus, vaults }: Cloud, size: number): Promise<void> {
  const client = new ServiceBusClient(file.serviceBus.connectionString)
  const sender = client.createSender(file.serviceBus.queue)
  const vault = vaults[0]?.url ?? ""
  for (let from = 0; from < size; from += sendAtOnce) {
    const messages = Array.from({ length: Math.min(sendAtOnce, size - from) }, (_, index) => {
      const id = `${vault}/secrets/bench-${from + index}/${(from + index).toString(16).padStart(32, "0")}`
      return {
        body: { change: { format: "keyvault-change/1", id, origin: "live" } },
        messageId: `letter-${from + index}`,
        timeToLive: 1,
        applicationProperties: { "kvb-last-code": `ERR_CAUSE_${index % 10}` },
      }
    })
    await sender.sendMessages(messages)
  }
  await client.close()
  while ((serviceBus.counts()[file.serviceBus.queue]?.deadLettered ?? 0) < size) await systemClock.sleep(20)
}

async function measureRunner(folder: string): Promise<void> {
  const settings = loadSettings(readLocalCloud(folder).env, replaySettings)
  const httpClient = createAzureHttpClient()
  const credential = createCredential("managedIdentity", settings.BACKUP_REPLAY_CLIENT_ID)
  const parts = openAzureReplay({ settings, credential, httpClient, clock: systemClock })
  let peakHeapMb = 0
  let peakResidentMb = 0
  const sample = () => {
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    peakHeapMb = Math.max(peakHeapMb, heapUsed / 2 ** 20)
    peakResidentMb = Math.max(peakResidentMb, rss / 2 ** 20)
  }
  const sampling = setInterval(sample, sampleEveryMs)
  let from = performance.now()
  const plan = await planReplay(parts, { filter: everything })
  const planSeconds = (performance.now() - from) / 1000
  from = performance.now()
  const { sent } = await runReplay(parts, {
    filter: everything,
    maxPerSecond: 100_000,
    run: randomUUID(),
    host: "bench",
    newMessageId: randomUUID,
    log: createLog(() => {}, systemClock),
  })
  const executeSeconds = (performance.now() - from) / 1000
  clearInterval(sampling)
  sample()
  await parts.close()
  await httpClient.close()
  const report: RunnerReport = {
    planned: countOf(plan),
    planSeconds,
    sent,
    executeSeconds,
    peakHeapMb,
    peakResidentMb,
  }
  process.send?.(report)
  process.disconnect()
}
