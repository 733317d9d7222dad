import { auditSettings, openAzureAudit } from "../shared/audit/azureAudit.ts"
import { readAudit } from "../shared/audit/readAudit.ts"
import { toStatus } from "../shared/audit/statusReport.ts"
import { systemClock } from "../shared/clock.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { exitAttention, exitDone, exitUnknown } from "./exitCodes.ts"
import { formatStatus } from "./statusText.ts"

/** Latency is told of the last day. */
const periodMs = 86_400_000

/**
 * `kvbackup status`: what is protected since when, and what is not.
 *
 * @returns 0; 30 when something needs attention; 31 when a part of the answer could not be told.
 * @throws ServiceError when the store cannot be listed at all; the caller turns that into exit code 31.
 */
export async function runStatus(options: GlobalOptions, streams: CommandStreams): Promise<number> {
  const { settings, credential, httpClient } = openContext("audit", auditSettings, options, streams)
  const parts = openAzureAudit({ settings, credential, httpClient })
  try {
    const now = systemClock.now()
    const report = await readAudit({
      ...parts,
      query: {
        since: new Date(now.getTime() - periodMs),
        until: now,
        isClosed: false,
        objective: settings.BACKUP_OBJECTIVE,
        vaults: settings.BACKUP_VAULTS,
      },
    })
    const status = toStatus(report)
    const exitCode = exitCodeOf(report)
    streams.out(options.json ? `${JSON.stringify({ ...status, exitCode })}\n` : formatStatus(status))
    return exitCode
  } finally {
    await parts.close()
    await httpClient.close()
  }
}

/** 31 when a part could not be told, which wins; 30 when something needs attention; else 0. */
export function exitCodeOf(report: {
  readonly complete: boolean
  readonly attention: readonly string[]
}): number {
  if (!report.complete) return exitUnknown
  return report.attention.length > 0 ? exitAttention : exitDone
}
