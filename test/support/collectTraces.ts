import { existsSync, readFileSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Journey } from "./startJourney.ts"

/** Bytes by where they were found. */
export type Traces = Map<string, Uint8Array>

const text = (value: unknown): Buffer =>
  Buffer.from(typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

/**
 * All that a cloud has left outside its vault at this moment: what was printed, every blob's name, body and
 * metadata, every message in every queue, every file, every argument and setting of its processes, and its counts.
 */
export async function collectTraces(journey: Journey): Promise<Traces> {
  const traces: Traces = new Map()
  journey.lines.forEach((line, index) => traces.set(`line ${index}: ${line.slice(0, 40)}`, text(line)))
  await addBlobs(journey, traces)
  await addMessages(journey, traces)
  await addFiles(join(journey.directory, ".local"), traces)
  addProcess(journey.cloud.host.pid, traces)
  traces.set("GET /state", text(await journey.control("GET /state")))
  traces.set("activities", text(journey.activities))
  return traces
}

async function addBlobs({ cloud: { blob } }: Journey, traces: Traces): Promise<void> {
  for (const container of Object.keys(blob.counts())) {
    for (const name of blob.backdoor.names(container)) {
      const found = await blob.backdoor.read({ container, name })
      traces.set(`blob ${name}`, Buffer.concat([text(name), found?.body ?? Buffer.alloc(0)]))
      traces.set(`metadata of ${name}`, text(found?.metadata))
    }
  }
}

async function addMessages({ peek }: Journey, traces: Traces): Promise<void> {
  for (const queue of ["changes", "quarantine"] as const) {
    for (const subQueue of [undefined, "deadLetter"] as const) {
      for (const message of await peek(queue, subQueue)) {
        const place = `message ${String(message.sequenceNumber)} of ${queue}${subQueue ? " (dead letters)" : ""}`
        const body: unknown = message.body
        traces.set(`body of ${place}`, Buffer.isBuffer(body) ? body : text(body))
        const { applicationProperties, subject, deadLetterReason, deadLetterErrorDescription } = message
        traces.set(
          `properties of ${place}`,
          text({ applicationProperties, subject, deadLetterReason, deadLetterErrorDescription }),
        )
      }
    }
  }
}

async function addFiles(directory: string, traces: Traces): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) traces.set(`file ${path}`, await readFile(path))
  }
}

/** Arguments and settings of a process that runs; only where the system has `/proc`. At once: it may end soon. */
export function addProcess(pid: number, traces: Traces): void {
  for (const kind of ["cmdline", "environ"]) {
    const path = `/proc/${pid}/${kind}`
    if (existsSync(path)) traces.set(`${kind} of process ${pid}`, readFileSync(path))
  }
}
