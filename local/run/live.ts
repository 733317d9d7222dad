import { once } from "node:events"
import { join } from "node:path"
import type { Activity, OutcomeReported } from "../cloud/activity.ts"
import { type Cloud, startCloud } from "../cloud/startCloud.ts"
import { openCloudLog } from "./cloudLog.ts"
import { importSecrets } from "./importSecrets.ts"
import type { Imports } from "../import/readImports.ts"
import { createLiveTable } from "./liveTable.ts"

export interface LiveOptions {
  /** `.local` is made below it. */
  readonly directory: string
  /** Where the cloud is kept; absent, it is a new one that ends with this process. */
  readonly keep?: string
  /** Names of the vaults; absent, there is one. */
  readonly vaultNames?: readonly string[]
  readonly imports?: Imports
}

/**
 * Keeps a cloud up and shows changes and backups as they happen, until Ctrl-C: rows on a terminal with a line of
 * figures below them, plain lines when piped.
 *
 * @returns the exit code: 0 when a person ended it, 1 when the functions host ended by itself.
 */
export async function runLive({ directory, imports, ...cloudOptions }: LiveOptions): Promise<number> {
  const log = openCloudLog(directory)
  const interrupted = waitForInterrupt()
  const cloud = await startCloud({ directory, ...cloudOptions, onLine: log.write })
  const table = createLiveTable(process.stdout)
  table.print(introduction(cloud, directory, log.file))
  const changedAt = new Map<string, Date>()
  cloud.feed.subscribe((activity) => show(activity, changedAt, table.row))
  const refresh = setInterval(() => table.figures(figuresOf(cloud)), 500)
  if (imports) {
    const { made, problems, notes } = await importSecrets(cloud, imports)
    const certificates = made.filter(({ id }) => id?.includes("/certificates/")).length
    const counted = certificates === 0 ? "" : ` and ${certificates} certificates`
    table.print(`Imported ${made.length - certificates} secrets${counted}, ${problems.length} problems`)
    for (const remark of [...problems, ...notes]) table.print(`  ${remark}`)
  }
  const cause = await Promise.race([interrupted, cloud.host.whenExit.then(() => "hostEnded" as const)])
  clearInterval(refresh)
  table.end(cause === "hostEnded" ? "The functions host has ended; see the log." : "Stopping.")
  await cloud.stop()
  await log.close()
  return cause === "hostEnded" ? 1 : 0
}

async function waitForInterrupt(): Promise<"interrupted"> {
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")])
  return "interrupted"
}

function introduction({ file, host }: Cloud, directory: string, logFile: string): string {
  return [
    `Vault      ${file.vaults.map(({ url }) => url).join(", ")}`,
    `Store      ${file.blob.url}/${file.blob.container}`,
    `Queue      ${file.serviceBus.fullyQualifiedNamespace}/${file.serviceBus.queue}`,
    `Functions  ${host.url}/api/health (${host.functions.map(({ name }) => name).join(", ")})`,
    `Latency    ${file.latencyPage.url} (open it in a browser; only who knows this address can)`,
    `Addresses, tokens and keys for your own clients: ${join(directory, ".local", "cloud.json")}`,
    `Everything the servers and the worker say: ${logFile}`,
    "",
    "From a second terminal: npx kvbackup status --local, npx kvbackup verify --deep --local, or set a secret:",
    "  printf %s hello | npx node docs/examples/setSecret.mjs my-secret",
    "Ctrl-C ends it.",
    "",
  ].join("\n")
}

function show(
  activity: Activity,
  changedAt: Map<string, Date>,
  row: (columns: {
    object: string
    version: string
    outcome: string
    tookMs?: number
    blob?: string
  }) => void,
): void {
  if (activity.kind === "changed") changedAt.set(activity.id, activity.at)
  if (activity.kind !== "outcome") return
  const [object = "-", version = "-"] = activity.id?.split("/").slice(-2) ?? []
  const changed = activity.id === undefined ? undefined : changedAt.get(activity.id)
  row({
    object,
    version,
    outcome: describeOutcome(activity),
    ...(changed ? { tookMs: activity.at.getTime() - changed.getTime() } : {}),
    ...(activity.blob === undefined ? {} : { blob: activity.blob }),
  })
}

function describeOutcome({ outcome, code, privateKey }: OutcomeReported): string {
  if (privateKey === "absentByPolicy") return `${outcome}, PUBLIC PART ONLY`
  return code === undefined ? outcome : `${outcome} ${code}`
}

function figuresOf({ serviceBus, blob, eventGrid, file }: Cloud): string {
  const counts = serviceBus.counts()
  const changes = counts[file.serviceBus.queue]
  const quarantine = counts[file.serviceBus.quarantineQueue]
  return [
    `${blob.counts()[file.blob.container] ?? 0} blobs`,
    `${eventGrid.pending()} events under way`,
    `${(changes?.active ?? 0) + (changes?.locked ?? 0)} waiting`,
    `${changes?.scheduled ?? 0} deferred`,
    `${changes?.deadLettered ?? 0} dead letters`,
    `${(quarantine?.active ?? 0) + (quarantine?.locked ?? 0)} in quarantine`,
  ].join("   ")
}
