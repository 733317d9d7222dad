import { renderChangeTable } from "../builtIn/changeTable.ts"
import { summarizeChanges } from "../builtIn/changeSummary.ts"
import { startCloud } from "../cloud/startCloud.ts"
import { type ChangeResult, resultOf } from "./changeResult.ts"
import type { Imports } from "../import/readImports.ts"
import { createChangeTracker } from "./changeTracker.ts"
import { openCloudLog } from "./cloudLog.ts"
import { importSecrets } from "./importSecrets.ts"
import { makeBuiltInChanges } from "./makeChanges.ts"
import { runVerification, type Verification } from "./runVerification.ts"

export interface OnceOptions {
  /** `.local` is made below it. */
  readonly directory: string
  /** Where the cloud is kept; absent, it is a new one that ends with this process. */
  readonly keep?: string
  /** Names of the vaults; absent, there is one. */
  readonly vaultNames?: readonly string[]
  /** Read from files; absent, the built-in changes are made. */
  readonly imports?: Imports
  readonly timeoutMs: number
}

const exitWrong = 30
const exitInterrupted = 130

/**
 * Makes changes on a fresh cloud, waits for the outcome of each, opens and compares every record, prints the table, and
 * stops the cloud.
 *
 * @returns the exit code: 0 when each change has its expected outcome and every record opens to the vault's value, 2 when
 * nothing could be imported, 30 when something is not as it should be, 130 when interrupted.
 */
export async function runOnce({
  directory,
  imports,
  timeoutMs,
  ...cloudOptions
}: OnceOptions): Promise<number> {
  const log = openCloudLog(directory)
  let isInterrupted = false
  // A timer that is due in these seconds would add changes that nobody asked for.
  const starting = startCloud({ directory, ...cloudOptions, runsTimers: false, onLine: log.write })
  process.once("SIGINT", () => {
    isInterrupted = true
    void starting.then((cloud) => cloud.stop()).finally(() => process.exit(exitInterrupted))
  })
  const cloud = await starting
  const tracker = createChangeTracker(cloud.feed)
  try {
    const deadline = Date.now() + timeoutMs
    const { made, problems, notes } = imports
      ? await importSecrets(cloud, imports)
      : { made: await makeBuiltInChanges(cloud, tracker, timeoutMs), problems: [], notes: [] }
    for (const remark of [...problems, ...notes]) process.stderr.write(`${remark}\n`)
    if (made.length === 0) {
      process.stderr.write("Nothing was imported.\n")
      return 2
    }
    const results = () => made.map((change) => resultOf(change, tracker))
    await tracker.waitFor(() => results().every(({ isFinal }) => isFinal), Math.max(0, deadline - Date.now()))
    const verification = await runVerification(directory)
    return isInterrupted ? exitInterrupted : report(results(), verification, problems.length)
  } catch (error) {
    // What was under way fails when the cloud stops below it.
    if (isInterrupted) return exitInterrupted
    throw error
  } finally {
    await cloud.stop()
    tracker.stop()
    await log.close()
  }
}

function report(results: readonly ChangeResult[], verification: Verification, problems: number): number {
  const width = process.stdout.isTTY ? process.stdout.columns : undefined
  const say = (line: string) => process.stdout.write(`${line}\n`)
  for (const line of renderChangeTable(
    results.map(({ row }) => row),
    width,
  )) {
    say(line)
  }
  say("")
  say(
    summarizeChanges(
      results.map(({ row, reason }) => ({
        outcome: row.outcome,
        ...(row.isPublicOnly ? { isPublicOnly: true } : {}),
        ...(reason === undefined ? {} : { reason }),
      })),
    ),
  )
  const findings = new Map(verification.versions.map(({ id, finding }) => [id, finding]))
  const opened = verification.versions.filter(({ finding }) => finding === "protected").length
  say(
    `${opened} records opened with the recovery key: secrets equal to the vault's value to the byte, certificates by thumbprint, key and chain`,
  )
  const wrong: string[] = []
  for (const { change, row, isExpected, reason } of results) {
    const name = `${change.label} (${row.object} ${row.version})`
    if (!isExpected) wrong.push(`${name}: expected ${change.expected}, is ${row.outcome}`)
    const finding = change.id === undefined ? undefined : findings.get(change.id)
    const sound = row.isPublicOnly ? "publicOnly" : "protected"
    if (row.outcome === "stored" && finding !== sound)
      wrong.push(`${name}: the record is ${finding ?? "not found"}`)
    if (row.isPublicOnly) {
      say(
        `NOT FULLY PROTECTED: ${change.id} (public part only: the policy keeps the private key in the vault)`,
      )
    }
    if (row.outcome === "unreadable") say(`NOT PROTECTED: ${change.id} (${reason ?? "no reason given"})`)
  }
  if (problems > 0) say(`${problems} entries could not be imported; they are listed above`)
  for (const line of wrong) say(`WRONG: ${line}`)
  return wrong.length === 0 ? 0 : exitWrong
}
