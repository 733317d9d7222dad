import { randomBytes, randomUUID } from "node:crypto"
import { existsSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { openAzureReplay, replaySettings } from "../shared/deadLetter/azureReplayParts.ts"
import { type SourceName, sourceNames } from "../shared/deadLetter/deadLetter.ts"
import type { ReplayResult } from "../shared/deadLetter/executeReplay.ts"
import { formatPlan, parsePlan } from "../shared/deadLetter/planFile.ts"
import { parseObjectUrl, type ReplayFilter } from "../shared/deadLetter/replayFilter.ts"
import { readHistory } from "../shared/deadLetter/replayHistory.ts"
import type { ReplayPlan } from "../shared/deadLetter/replayPlan.ts"
import { planReplay, type ReplayParts, runReplay } from "../shared/deadLetter/runReplay.ts"
import { type Clock, systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { createLog } from "../shared/log.ts"
import { parseDurationMs } from "../shared/settingFormats.ts"
import { type CommandStreams, type GlobalOptions, openContext, readJsonFile } from "./commandContext.ts"
import { exitAttention, exitDone, exitInterrupted } from "./exitCodes.ts"
import { interruptible } from "./interruption.ts"
import { createProgressLine } from "./progressLine.ts"
import { formatHistory, formatReplayPlan, formatReplayResult } from "./replayReport.ts"

/** Options as the command line gives them. */
export interface ReplayOptions extends GlobalOptions {
  readonly from?: SourceName | "all"
  readonly reason?: readonly string[]
  readonly vault?: string
  readonly object?: string
  readonly olderThan?: string
  readonly attempts?: string
  readonly maxPerSecond?: string
  readonly out?: string
  readonly plan?: string
  readonly replan?: boolean
  readonly execute?: boolean
  readonly history?: boolean
}

const defaultPerSecond = 100

/**
 * `kvbackup replay`: what would be done with dead letters, by cause; with `execute`, does it. Without it nothing is
 * written anywhere but to the file that `out` names.
 *
 * @returns 0; 30 when an execution left something undone; 130 when it was interrupted.
 * @throws ServiceError with the code that stopped it; ERR_REPLAY_UNCONFIRMED when a removal was not confirmed.
 */
export async function runReplayCommand(options: ReplayOptions, streams: CommandStreams): Promise<number> {
  const planned = options.plan === undefined ? undefined : parsePlan(readJsonFile(options.plan, "plan file"))
  checkOptions(options, planned)
  const { settings, credential, httpClient } = openContext("replay", replaySettings, options, streams)
  const parts = openAzureReplay({ settings, credential, httpClient, clock: systemClock })
  try {
    if (options.history) {
      const rows = await readHistory(parts.catalog)
      print(streams, options, { plans: rows }, () => formatHistory(rows))
      return exitDone
    }
    const filter = planned?.filter ?? readFilter(options, systemClock)
    if (filter.from.includes("event-grid") && options.from === "event-grid") {
      requireDeadLetterUrl(settings.BACKUP_DEADLETTER_URL)
    }
    return options.execute
      ? await execute(parts, { filter, planned }, options, streams)
      : await plan(parts, filter, options, streams)
  } finally {
    await parts.close()
    await httpClient.close()
  }
}

async function plan(
  parts: ReplayParts,
  filter: ReplayFilter,
  options: ReplayOptions,
  streams: CommandStreams,
): Promise<number> {
  const line = createProgressLine(streams, systemClock)
  const made = await planReplay(parts, { filter, onLook: (looked) => line.count("looked at", looked) })
  line.clear()
  if (options.out !== undefined) writePlan(options.out, made)
  print(streams, options, { executed: false, plan: made }, () => formatReplayPlan(made, options.out))
  return exitDone
}

async function execute(
  parts: ReplayParts,
  { filter, planned }: { readonly filter: ReplayFilter; readonly planned: ReplayPlan | undefined },
  options: ReplayOptions,
  streams: CommandStreams,
): Promise<number> {
  const line = createProgressLine(streams, systemClock)
  const interruption = interruptible()
  let done: ReplayPlan | undefined
  let result: ReplayResult
  try {
    result = await runReplay(parts, {
      filter,
      ...(planned ? { planned } : {}),
      replan: options.replan === true,
      maxPerSecond: readPerSecond(options.maxPerSecond),
      run: newRunId(systemClock),
      host: hostname(),
      newMessageId: randomUUID,
      log: createLog(() => {}, systemClock),
      signal: interruption.signal,
      onPlan: (made) => {
        done = made
        if (options.out !== undefined) writePlan(options.out, made)
      },
      onLook: (looked) => line.count("looked at", looked),
      onProgress: (progress) => line.progress(progress),
    })
  } finally {
    interruption.end()
    line.clear()
  }
  const code = exitCodeOf(result)
  const isUnconfirmed = result.unconfirmed > 0 && !result.interrupted
  if (!isUnconfirmed || !options.json) {
    print(streams, options, { executed: true, exitCode: code, plan: done, result }, () =>
      formatReplayResult(result, done),
    )
  }
  if (isUnconfirmed) {
    throw new ServiceError("ERR_REPLAY_UNCONFIRMED", "The broker did not confirm every removal", {
      details: { sent: result.sent, unconfirmed: result.unconfirmed, run: result.run },
    })
  }
  return code
}

/** 130 when it was interrupted, 30 when something was left undone, else 0. */
export function exitCodeOf({ interrupted, refused, undone }: ReplayResult): number {
  if (interrupted) return exitInterrupted
  return refused + undone > 0 ? exitAttention : exitDone
}

function print({ out }: CommandStreams, { json }: ReplayOptions, document: object, text: () => string): void {
  out(json ? `${JSON.stringify({ format: "kvbackup-replay/1", ...document })}\n` : text())
}

/** A name that sorts by time and that no other run has. */
function newRunId(clock: Clock): string {
  const time = clock
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "")
  return `${time}-${randomBytes(4).toString("hex")}`
}

function writePlan(file: string, made: ReplayPlan): void {
  try {
    writeFileSync(file, formatPlan(made), { mode: 0o600 })
  } catch (cause) {
    throw new ServiceError("ERR_CONFIG_INVALID", `Cannot write the plan to ${file}`, { cause })
  }
}

function checkOptions(options: ReplayOptions, planned: ReplayPlan | undefined): void {
  const { from, reason, vault, object, olderThan, attempts, out, history, execute: isExecuted } = options
  const filters = [from, reason, vault, object, olderThan, attempts]
  if (planned && filters.some((value) => value !== undefined)) {
    throw wrong("--plan FILE says already what it is about; leave the other filters out")
  }
  if (options.replan && !planned) throw wrong("--replan goes with --plan FILE")
  if (history && (isExecuted || planned)) throw wrong("--history is asked for alone")
  if (out !== undefined && existsSync(out))
    throw wrong(`${out} is there already; --out FILE must be a new file`)
}

function readFilter(options: ReplayOptions, clock: Clock): ReplayFilter {
  const { from = "all", reason, vault, object, olderThan, attempts } = options
  return {
    from: from === "all" ? sourceNames : [from],
    ...(reason === undefined ? {} : { reasons: reason }),
    ...(vault === undefined ? {} : { vault: readVault(vault) }),
    ...(object === undefined ? {} : { object: parseObjectUrl(object) }),
    ...(olderThan === undefined ? {} : { before: new Date(clock.now().getTime() - readAge(olderThan)) }),
    ...(attempts === undefined ? {} : { attempts: readCount(attempts, "--attempts") }),
  }
}

function readVault(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol === "https:" && url.pathname === "/") return url.origin
  throw wrong("--vault must be https://NAME.vault.azure.net")
}

function readAge(text: string): number {
  const ms = parseDurationMs(text)
  if (ms === undefined) throw wrong("--older-than must be a duration such as 15m, 24h or 7d")
  return ms
}

function readCount(text: string, option: string): number {
  if (!/^\d{1,6}$/.test(text)) throw wrong(`${option} must be a whole number`)
  return Number(text)
}

function readPerSecond(text: string | undefined): number {
  const number = Number(text ?? defaultPerSecond)
  if (number >= 0.1 && number <= 100_000) return number
  throw wrong("--max-per-second must be a number from 0.1 to 100000")
}

function requireDeadLetterUrl(url: string | undefined): void {
  if (url === undefined) throw wrong("BACKUP_DEADLETTER_URL is not set")
}

function wrong(message: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message)
}
