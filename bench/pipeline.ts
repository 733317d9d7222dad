/**
 * How many backups a second one process makes, and what one costs, against the floor: (a) raw HTTPS and node:crypto,
 * (b) the plain SDK clients, (c) our handler, on the same servers in the same run. Servers and clients are processes
 * of their own. Rounds interleave the scenarios, because what else the machine does moves every absolute figure; read
 * the ratios.
 */
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { type BenchChild, startChild } from "./childProcess.ts"
import type { Cell } from "./measureCell.ts"
import type { ScenarioName } from "./pipelineClient.ts"
import { type PipelineOptions, readPipelineOptions, usage } from "./pipelineOptions.ts"
import { formatRows, type MeasuredCell, medianRows } from "./pipelineTable.ts"
import type { PipelineTargets, ServerReport } from "./pipelineTargets.ts"

const scenarios: readonly ScenarioName[] = ["raw", "sdk", "handler"]
const warmUpSeconds = 2

const options = readPipelineOptions(process.argv.slice(2))
if ("help" in options) console.log(usage)
else if ("problem" in options) {
  console.error(`Error: ${options.problem}\nTry: node bench/pipeline.ts --help`)
  process.exitCode = 2
} else {
  await run(options).catch((error: unknown) => {
    console.error(`Error: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  })
}

async function run({ seconds, rounds, inFlight, jsonFile }: PipelineOptions): Promise<void> {
  const children: BenchChild[] = []
  const start = (file: string) => {
    const child = startChild(file)
    children.push(child)
    return child
  }
  try {
    const servers = start("pipelineServers.ts")
    const targets = await servers.ask<PipelineTargets>()
    const clients = new Map<ScenarioName, BenchChild>()
    for (const scenario of scenarios) {
      const client = start("pipelineClient.ts")
      await client.ask({ scenario, targets })
      for (const level of inFlight) await measure(servers, client, level, warmUpSeconds / inFlight.length)
      clients.set(scenario, client)
    }
    const cells: MeasuredCell[] = []
    for (let round = 1; round <= rounds; round++) {
      for (const level of inFlight) {
        for (const [scenario, client] of clients) {
          cells.push({ scenario, round, ...(await measure(servers, client, level, seconds)) })
        }
      }
    }
    const rows = medianRows(cells)
    const machine = { cores: availableParallelism(), node: process.version, platform: process.platform }
    console.log(
      `Medians of ${rounds} rounds of ${seconds} s, ${machine.cores} cores, Node ${machine.node}; in brackets: over (a)\n`,
    )
    console.log(formatRows(rows))
    if (jsonFile !== undefined) {
      writeFileSync(jsonFile, `${JSON.stringify({ seconds, rounds, machine, rows, cells }, undefined, 2)}\n`)
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
}

/** One cell. A backup that the sink did not get, or that does not open to the vault's value, ends the bench. */
async function measure(servers: BenchChild, client: BenchChild, inFlight: number, seconds: number) {
  await servers.ask<ServerReport>({ report: true })
  const cell = await client.ask<Cell>({ inFlight, seconds })
  const { puts, bodyBytes, cpuMicros, problem } = await servers.ask<ServerReport>({ report: true })
  if (puts !== cell.allBackups) throw new Error(`${cell.allBackups} backups made ${puts} puts`)
  if (problem !== undefined) throw new Error(`The last backup is no backup: ${problem}`)
  return { ...cell, bodyBytes: bodyBytes / puts, serverCpuMicrosPerBackup: cpuMicros / puts }
}
