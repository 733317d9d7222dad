/** A whole local cloud in a process of its own: tells its start-up and memory, then how fast its pipeline runs. */
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startCloud } from "../local/cloud/startCloud.ts"
import { createUserSecretClient } from "../local/run/vaultUser.ts"

/** What the bench is told of the cloud. */
export interface LocalCloudReport {
  /** From the start of the process to the functions host listening. */
  readonly startUpMs: number
  /** Resident memory of the servers and of the functions host, before any work. */
  readonly serversMb: number
  readonly functionsMb: number
  /** Versions from published event to stored blob. */
  readonly pipelinePerSecond: number
}

const versions = 1000
const atOnce = 16

if (process.send) await serve()

async function serve(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "bench-cloud-"))
  const cloud = await startCloud({ directory })
  const startUpMs = performance.now()
  const serversMb = residentMb(process.pid)
  const functionsMb = residentMb(cloud.host.pid)
  // Their events are lost, so that all versions are there before the first one is backed up.
  cloud.faults.add({ target: "eventgrid", effect: "drop" })
  const client = createUserSecretClient(cloud)
  const ids: string[] = []
  const lane = async () => {
    while (ids.length < versions) {
      const { properties } = await client.setSecret(`bench-${ids.length}`, "v".repeat(200))
      ids.push(properties.id ?? "")
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  cloud.faults.clear()
  let stored = 0
  const done = new Promise<void>((resolve) => {
    cloud.blob.onPut(() => {
      stored += 1
      if (stored === ids.length) resolve()
    })
  })
  const from = performance.now()
  for (const id of ids) cloud.eventGrid.repeat(id)
  await done
  const pipelinePerSecond = ids.length / ((performance.now() - from) / 1000)
  await cloud.stop()
  await rm(directory, { recursive: true })
  process.send?.({
    startUpMs,
    serversMb,
    functionsMb,
    pipelinePerSecond,
  } satisfies Partial<LocalCloudReport> & object)
  process.disconnect()
}

/** From Linux's process file system; elsewhere this process's own figure. */
function residentMb(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
    return (pages * 4096) / 1e6
  } catch {
    return process.memoryUsage().rss / 1e6
  }
}
