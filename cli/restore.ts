import { resolve } from "node:path"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { createDirectoryTarget } from "../shared/restore/directoryTarget.ts"
import { executeRestore, type RestoredItem } from "../shared/restore/executeRestore.ts"
import { planRestore } from "../shared/restore/planRestore.ts"
import type { RestoreTarget } from "../shared/restore/restoreTarget.ts"
import type { RestoreSelection } from "../shared/restore/selectRecords.ts"
import { createVaultTarget } from "../shared/restore/vaultTarget.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../shared/store/azureStoreReader.ts"
import { parseTime } from "../shared/store/ledgerEntry.ts"
import { createAzureVaultReader } from "../shared/vault/azureVaultReader.ts"
import { createAzureVaultWriter } from "../shared/vault/azureVaultWriter.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { exitAttention, exitDone, exitInterrupted } from "./exitCodes.ts"
import { interruptible } from "./interruption.ts"
import { parseObjectUrl, parseVaultUrl } from "./objectUrl.ts"
import { type OpeningKeyOptions, readOpeningKeys } from "./openingKeys.ts"
import { createProgressLine } from "./progressLine.ts"
import { formatRestore, type ReportedItem, toItemDocument, toTargetDocument } from "./restoreReport.ts"

/** Options as the command line gives them. */
export interface RestoreOptions extends GlobalOptions, OpeningKeyOptions {
  readonly object?: string
  readonly vault?: string
  readonly at?: string
  readonly to?: string
  readonly toDir?: string
  readonly as?: string
  readonly allowOtherCloud?: boolean
  readonly execute?: boolean
}

/** Records read at once, and written at once: writes are few, and a vault's limit is everybody's. */
const concurrency = { plan: 8, execute: 4 }

/**
 * `kvbackup restore`: what would be put back where; with `execute`, does it. Without it nothing is written anywhere.
 * The vault that was backed up is not asked, and need not exist any more.
 *
 * @returns 0; 30 when an execution left something of a vault undone; 130 when it was interrupted.
 * @throws ServiceError with the code that stopped it: of one object also what stands in its way, when it is executed.
 */
export async function runRestore(options: RestoreOptions, streams: CommandStreams): Promise<number> {
  const selection = readSelection(options)
  const to = readTarget(options, streams.cwd)
  const context = openContext("restore", ["BACKUP_STORE_URL"], options, streams)
  const { settings, credential, httpClient, recoveryKeyFile } = context
  // A second client, which sends no PUT twice: each would make a version.
  const writerClient = createAzureHttpClient({ resendsPuts: false })
  const line = createProgressLine(streams, systemClock)
  const interruption = interruptible()
  let isPlanned = false
  try {
    const vaultOptions = {
      credential,
      httpClient,
      challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
      ...(settings.BACKUP_VAULT_AUDIENCE === undefined ? {} : { audience: settings.BACKUP_VAULT_AUDIENCE }),
    }
    const storeOptions = {
      url: settings.BACKUP_STORE_URL,
      container: settings.BACKUP_STORE_CONTAINER,
      credential,
      httpClient,
    }
    const target: RestoreTarget =
      "directory" in to
        ? createDirectoryTarget({ directory: to.directory, clock: systemClock })
        : createVaultTarget({
            vault: to.vault,
            writer: createAzureVaultWriter({ ...vaultOptions, httpClient: writerClient }),
            reader: createAzureVaultReader(vaultOptions),
            clock: systemClock,
          })
    const source = {
      reader: createAzureStoreReader(storeOptions),
      keys: await readOpeningKeys(options, { recoveryKeyFile, settings, vaultOptions }),
    }
    const { signal } = interruption
    const plan = await planRestore({
      selection,
      catalog: createAzureStoreCatalog(storeOptions),
      source,
      target,
      ...(options.as === undefined ? {} : { as: options.as }),
      allowsOtherCloud: options.allowOtherCloud === true,
      clock: systemClock,
      concurrency: concurrency.plan,
      signal,
      onProgress: (looked) => line.count("records opened", looked),
    })
    isPlanned = true
    if (!options.execute) {
      line.clear()
      print({ items: plan, exitCode: exitDone, selection, target }, options, streams)
      return exitDone
    }
    const items = await executeRestore(plan, {
      source,
      target,
      clock: systemClock,
      concurrency: concurrency.execute,
      signal,
      onProgress: (done, total) => line.progress({ done, total }),
    })
    line.clear()
    const stop = selection.object ? problemOf(items) : undefined
    if (stop) throw stop
    const exitCode = exitCodeOf(items)
    print({ items, exitCode, selection, target }, options, streams)
    return exitCode
  } catch (error) {
    line.clear()
    // Whatever a plan that was interrupted ran into is no failure, and nothing was written.
    if (interruption.signal.aborted && !isPlanned) return exitInterrupted
    throw error
  } finally {
    interruption.end()
    await writerClient.close()
    await httpClient.close()
  }
}

/** 130 when it was interrupted, 30 when something was left undone, else 0. */
export function exitCodeOf(items: readonly Pick<RestoredItem, "outcome">[]): number {
  const results = items.map(({ outcome }) => outcome.result)
  if (results.includes("notDone")) return exitInterrupted
  return results.some((result) => result === "blocked" || result === "failed") ? exitAttention : exitDone
}

function problemOf(items: readonly RestoredItem[]): ServiceError | undefined {
  const found = items.find(({ outcome }) => "error" in outcome)?.outcome
  return found && "error" in found ? found.error : undefined
}

interface Report {
  readonly items: readonly ReportedItem[]
  readonly exitCode: number
  readonly selection: RestoreSelection
  readonly target: RestoreTarget
}

function print(
  { items, exitCode, selection, target }: Report,
  options: RestoreOptions,
  { out }: CommandStreams,
): void {
  if (!options.json) return out(formatRestore(items, target, repeated(options)))
  const { at } = selection
  const document = {
    format: "kvbackup-restore/1",
    exitCode,
    executed: options.execute === true,
    ...(options.object === undefined ? {} : { object: options.object }),
    ...(options.vault === undefined ? {} : { vault: options.vault }),
    ...(at ? { at: at.toISOString() } : {}),
    target: toTargetDocument(target),
    items: items.map(toItemDocument),
  }
  out(`${JSON.stringify(document)}\n`)
}

/** The arguments again, for a person to copy. */
function repeated(options: RestoreOptions): string {
  const named = {
    object: "--object",
    vault: "--vault",
    at: "--at",
    to: "--to",
    toDir: "--to-dir",
    as: "--as",
  } as const
  const words = (Object.keys(named) as (keyof typeof named)[]).flatMap((name) => {
    const value = options[name]
    return value === undefined ? [] : [named[name], value]
  })
  for (const url of options.unwrapKey ?? []) words.push("--unwrap-key", url)
  if (options.keyFile !== undefined) words.push("--key-file", options.keyFile)
  if (options.credential !== undefined) words.push("--credential", options.credential)
  if (options.allowOtherCloud) words.push("--allow-other-cloud")
  if (options.local) words.push("--local")
  return words
    .map((word) => (/^[\w:/.@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ")
}

function readSelection({ object, vault, at, as }: RestoreOptions): RestoreSelection {
  if ((object === undefined) === (vault === undefined)) {
    throw wrong("Say what is to be restored: either --object or --vault")
  }
  const time = at === undefined ? undefined : readTime(at)
  const only = time ? { at: time } : {}
  if (object === undefined) {
    if (as !== undefined) throw wrong("--as goes with --object: many objects cannot have one name")
    return { host: parseVaultUrl(vault ?? "", "--vault"), ...only }
  }
  if (as !== undefined && !/^[0-9a-zA-Z-]{1,127}$/.test(as)) {
    throw wrong("--as must be 1 to 127 letters, digits and hyphens")
  }
  const { host, kind, name, version } = parseObjectUrl(object)
  if (version !== undefined && time) throw wrong("--object names a version already; leave --at out")
  return { host, object: { kind, name, ...(version === undefined ? {} : { version }) }, ...only }
}

/** A date alone says no time, and a time without an offset is of nobody's clock. */
function readTime(text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i.test(text)
    ? parseTime(text)
    : undefined
  if (time) return time
  throw wrong(
    "--at must be a time with its offset, such as 2026-03-01T12:00:00Z or 2026-03-01T13:00:00+01:00",
  )
}

function readTarget(
  { to, toDir }: RestoreOptions,
  cwd: string,
): { readonly vault: string } | { readonly directory: string } {
  if (to !== undefined && toDir === undefined) return { vault: `https://${parseVaultUrl(to, "--to")}` }
  if (toDir !== undefined && to === undefined) return { directory: resolve(cwd, toDir) }
  throw wrong("Say where it is to go: either --to VAULT or --to-dir DIRECTORY")
}

function wrong(message: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message)
}
