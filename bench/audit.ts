/**
 * How many entries of the ledger are audited a second, and what memory that takes, at growing sizes. Server and reader
 * are two processes, both made anew for every size. Usage: `node bench/audit.ts [--sizes 20000,200000] [--json FILE]`.
 *
 * The floor in the same run is the download of the same pages over the same kind of connection, with nothing read of
 * them but their names. Beside it stand the listing by the storage SDK's client, and by this product's own.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { getHeapSpaceStatistics } from "node:v8"
import { createLedgerCsv } from "../shared/audit/ledgerCsv.ts"
import { readAudit } from "../shared/audit/readAudit.ts"
import { createPipelineRequest } from "@azure/core-rest-pipeline"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { createAllowList } from "../shared/change/allowList.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import { fixedCredential } from "./fixedCredential.ts"
import { messageOf } from "./messageOf.ts"
import { type ListingAddress, listedVaults, serveListing, trustListing } from "./ledgerListing.ts"

const scenarios = ["pages", "sdk", "listing", "audit", "csv"] as const

type Scenario = (typeof scenarios)[number]

/** What one reader measured. */
interface ReaderReport {
  readonly entries: number
  readonly seconds: number
  /** Of the heap after collections, of typed arrays and buffers, and of the process. */
  readonly peakHeapMb: number
  readonly peakArraysMb: number
  readonly peakResidentMb: number
  /** What V8 sets aside for young objects, full or not: it doubles in any process that runs for long, up to 128 MB. */
  readonly youngSpaceMb: number
}

const defaultSizes = "20000,200000,1000000"
const sampleEveryMs = 250
/** A million would take it five minutes, and show nothing new. */
const mostForSdk = 200_000

async function measure(): Promise<void> {
  const { values } = parseArgs({ options: { sizes: { type: "string" }, json: { type: "string" } } })
  const rows: ({ readonly size: number; readonly scenario: Scenario } & ReaderReport)[] = []
  for (const size of (values.sizes ?? defaultSizes).split(",").map(Number)) {
    for (const scenario of scenarios) {
      if (scenario === "sdk" && size > mostForSdk) continue
      const row = { size, scenario, ...(await measureOne(size, scenario)) }
      rows.push(row)
      console.error(`${size} ${scenario}: ${row.seconds.toFixed(1)} s`)
    }
  }
  const floorOf = (size: number) =>
    rows.find((row) => row.size === size && row.scenario === "pages")?.seconds ?? 1
  console.log(`${availableParallelism()} cores, Node ${process.version}`)
  console.table(
    rows.map((row) => ({
      blobs: row.size,
      scenario: row.scenario,
      "blobs/s": Math.round(row.entries / row.seconds),
      "times the floor": (row.seconds / floorOf(row.size)).toFixed(1),
      "peak live heap MB": Math.round(row.peakHeapMb),
      "peak arrays MB": Math.round(row.peakArraysMb),
      "peak resident MB": Math.round(row.peakResidentMb),
      "of it young space MB": Math.round(row.youngSpaceMb),
    })),
  )
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ rows }, undefined, 2)}\n`)
}

async function measureOne(size: number, scenario: Scenario): Promise<ReaderReport> {
  const server = fork(import.meta.filename, ["server", String(size)], { stdio: "inherit" })
  const address = (await messageOf(server)) as ListingAddress
  const reader = fork(import.meta.filename, ["reader", scenario, JSON.stringify(address)], {
    stdio: "inherit",
    // As `kvbackup` starts.
    execArgv: ["--expose-gc", "--max-semi-space-size=4"],
  })
  const report = (await messageOf(reader)) as ReaderReport
  server.disconnect()
  await once(server, "exit")
  if (report.entries !== size) throw new Error(`${scenario} read ${report.entries} blobs of ${size}`)
  return report
}

async function measureReader(scenario: Scenario, address: ListingAddress): Promise<void> {
  trustListing(address)
  const peak = { heap: 0, arrays: 0, resident: 0, young: 0 }
  let sampling = 0
  const sample = () => {
    const from = performance.now()
    // What is dead is not counted as memory that the reader needs; the time that takes is not the reader's either.
    globalThis.gc?.()
    sampling += performance.now() - from
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    peak.heap = Math.max(peak.heap, heapUsed)
    peak.arrays = Math.max(peak.arrays, arrayBuffers)
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")
    peak.young = Math.max(peak.young, young?.space_size ?? 0)
  }
  const timer = setInterval(sample, sampleEveryMs)
  const from = performance.now()
  const entries = await read[scenario](address)
  const seconds = (performance.now() - from - sampling) / 1000
  clearInterval(timer)
  sample()
  peak.resident = process.resourceUsage().maxRSS * 1024
  const report: ReaderReport = {
    entries,
    seconds,
    peakHeapMb: peak.heap / 2 ** 20,
    peakArraysMb: peak.arrays / 2 ** 20,
    peakResidentMb: peak.resident / 2 ** 20,
    youngSpaceMb: peak.young / 2 ** 20,
  }
  process.send?.(report)
  process.disconnect()
}

const read: Readonly<Record<Scenario, (address: ListingAddress) => Promise<number>>> = {
  pages: async ({ url }) => {
    const client = createAzureHttpClient()
    let entries = 0
    let marker: string | undefined = "0"
    while (marker !== undefined) {
      const page = `${url}/keyvault-backups?restype=container&comp=list&include=metadata&marker=${marker}`
      const { bodyAsText } = await client.sendRequest(createPipelineRequest({ url: page }))
      for (const [, name = ""] of (bodyAsText ?? "").matchAll(/<Name>([^<]*)<\/Name>/g))
        entries += Number(name.endsWith(".json"))
      marker = /<NextMarker>(\d+)</.exec(bodyAsText ?? "")?.[1]
    }
    await client.close()
    return entries
  },
  sdk: async ({ url }) => {
    // Only this reader has the client of the SDK in its memory.
    const { createContainerClient } = await import("../shared/store/azureContainerClient.ts")
    const httpClient = createAzureHttpClient()
    const options = { url, container: "keyvault-backups", credential: fixedCredential("bench"), httpClient }
    let entries = 0
    for await (const { name } of createContainerClient(options).listBlobsFlat({ includeMetadata: true }))
      entries += Number(name.endsWith(".json"))
    await httpClient.close()
    return entries
  },
  listing: async (address) => {
    const { catalog, close } = openCatalog(address)
    let entries = 0
    for await (const { name } of catalog.list("")) entries += Number(name.endsWith(".json"))
    await close()
    return entries
  },
  audit: (address) => audit(address, undefined),
  csv: (address) => {
    let length = 0
    const csv = createLedgerCsv((text) => (length += text.length), { percentile: 99, limitMs: 60_000 })
    return audit(address, csv)
  },
}

async function audit(
  address: ListingAddress,
  csv: ReturnType<typeof createLedgerCsv> | undefined,
): Promise<number> {
  const { catalog, close } = openCatalog(address)
  const report = await readAudit({
    query: {
      until: new Date(),
      isClosed: true,
      objective: { percentile: 99, limitMs: 60_000 },
      vaults: listedVaults,
    },
    store: catalog,
    queues: {
      inspector: { peek: async () => ({ messages: [], complete: true }) },
      queue: "changes",
      quarantineQueue: "quarantine",
      allowList: createAllowList(listedVaults),
    },
    hasCanary: false,
    ...(csv ? { onVersion: csv.addVersion, onGap: csv.addGap } : {}),
  })
  csv?.end()
  await close()
  if (!report.complete) throw new Error(`The audit is not complete: ${JSON.stringify(report.problems)}`)
  return report.prefixes.records + report.prefixes.gaps
}

function openCatalog({ url }: ListingAddress) {
  const httpClient = createAzureHttpClient()
  const options = { url, container: "keyvault-backups", credential: fixedCredential("bench"), httpClient }
  return { catalog: createAzureStoreCatalog(options), close: () => httpClient.close() }
}

const [, , role, ...rest] = process.argv
if (role === "server") {
  process.send?.(await serveListing(Number(rest[0])))
  process.once("disconnect", () => process.exit())
} else if (role === "reader")
  await measureReader(rest[0] as Scenario, JSON.parse(rest[1] ?? "") as ListingAddress)
else await measure()
