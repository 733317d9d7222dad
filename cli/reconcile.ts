import { randomUUID } from "node:crypto"
import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { openAzureReconcile, reconcileSettings } from "../shared/reconcile/azureReconcileParts.ts"
import { countGaps } from "../shared/reconcile/reconcileRecord.ts"
import { runReconcile } from "../shared/reconcile/runReconcile.ts"
import { createVaultLimiter } from "../shared/vault/vaultLimiter.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { exitAttention, exitDone, exitInterrupted, exitUnknown } from "./exitCodes.ts"
import { interruptible } from "./interruption.ts"
import { createProgressLine } from "./progressLine.ts"
import { createGapList, formatReconciliation, type ReconciledVault, toDocument } from "./reconcileReport.ts"

/** Options as the command line gives them. */
export interface ReconcileOptions extends GlobalOptions {
  readonly vault?: string
  readonly execute?: boolean
}

/** Changes sent a second: far below what one worker takes, so that live ones do not wait behind them. */
const maxPerSecond = 100

/**
 * `kvbackup reconcile`: which versions the vaults have and the store has not; with `execute`, sends a change of each that
 * can be backed up. Without it nothing is written anywhere.
 *
 * @returns 0; 30 when there are gaps, also when they were just sent; 31 when a vault was not looked at as a whole; 130
 * when it was interrupted.
 * @throws ServiceError ERR_CONFIG_INVALID.
 */
export async function runReconcileCommand(
  options: ReconcileOptions,
  streams: CommandStreams,
): Promise<number> {
  const { settings, credential, httpClient } = openContext("reconcile", reconcileSettings, options, streams)
  const vaults = selectVaults(options.vault, settings.BACKUP_VAULTS)
  const clock = systemClock
  const parts = openAzureReconcile({
    settings,
    credential,
    httpClient,
    limiter: createVaultLimiter({ clock }),
    clock,
  })
  const line = createProgressLine(streams, clock)
  const interruption = interruptible()
  const executed = options.execute === true
  const reconciled: ReconciledVault[] = []
  try {
    let gaps = createGapList()
    const results = runReconcile(parts, {
      vaults,
      ...(executed ? { execute: { maxPerSecond, newMessageId: randomUUID } } : {}),
      signal: interruption.signal,
      onGap: (gap) => gaps.add(gap),
      onProgress: (versions) => line.count("versions compared", versions),
    })
    for await (const result of results) {
      reconciled.push({ result, gaps })
      gaps = createGapList()
    }
  } finally {
    interruption.end()
    line.clear()
    await parts.close()
    await httpClient.close()
  }
  const isCutOff = interruption.signal.aborted && reconciled.length < vaults.length
  const exitCode = isCutOff ? exitInterrupted : exitCodeOf(reconciled)
  streams.out(
    options.json
      ? `${JSON.stringify({ format: "kvbackup-reconcile/1", exitCode, executed, vaults: reconciled.map(toDocument) })}\n`
      : formatReconciliation(reconciled, executed),
  )
  return exitCode
}

/** 130 when it was interrupted, 31 when not everything was compared, 30 when there are gaps, else 0. */
export function exitCodeOf(reconciled: readonly Pick<ReconciledVault, "result">[]): number {
  const results = reconciled.map(({ result }) => result)
  if (results.some(({ incomplete }) => incomplete?.reason === "interrupted")) return exitInterrupted
  if (results.length === 0 || results.some(({ incomplete }) => incomplete)) return exitUnknown
  return results.some(({ counts }) => countGaps(counts) > 0) ? exitAttention : exitDone
}

function selectVaults(text: string | undefined, vaults: readonly string[]): readonly string[] {
  if (text === undefined) return vaults
  const url = URL.parse(text)
  const vault = url?.protocol === "https:" && url.pathname === "/" ? url.origin : undefined
  if (vault !== undefined && vaults.includes(vault)) return [vault]
  throw new ServiceError("ERR_CONFIG_INVALID", "--vault is none of BACKUP_VAULTS", {
    hint: "Write one of BACKUP_VAULTS, such as https://NAME.vault.azure.net.",
  })
}
