import type { AuditReport } from "../shared/audit/auditReport.ts"
import { auditSettings, openAzureAudit } from "../shared/audit/azureAudit.ts"
import { createLedgerCsv } from "../shared/audit/ledgerCsv.ts"
import { readAudit, type ReadAuditOptions } from "../shared/audit/readAudit.ts"
import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { type AuditFormatName, reportFormats } from "./auditFormats.ts"
import { isProofAskedFor, type ProveOptions, runAuditProve } from "./auditProve.ts"
import { type AuditQueryOptions, readAuditQuery } from "./auditQuery.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { readLatencyPageAssets } from "./latencyPageAssets.ts"
import { createNewFile } from "./newFile.ts"
import { createProgressLine } from "./progressLine.ts"
import { exitCodeOf } from "./status.ts"
import { formatProblems } from "./statusText.ts"

/** Options as the command line gives them. */
export interface AuditOptions
  extends GlobalOptions, AuditQueryOptions, Pick<ProveOptions, "prove" | "digestKey" | "saveCopy" | "copy"> {
  readonly format?: AuditFormatName
  readonly out?: string
}

/**
 * `kvbackup audit`: when each version was protected, from the store's listing. Nothing is written but the file that
 * `out` names. With `json` the report is on stdout, and the file, if any, has the format that was asked for.
 *
 * @returns 0; 30 when something needs attention; 31 when a part of the answer could not be told.
 * @throws ServiceError when the store cannot be listed at all; the caller turns that into exit code 31.
 */
export async function runAudit(options: AuditOptions, streams: CommandStreams): Promise<number> {
  if (isProofAskedFor(options)) return runAuditProve(options, streams)
  const format = options.format ?? (options.json ? "json" : "table")
  if (options.json && format !== "json" && options.out === undefined)
    throw new ServiceError(
      "ERR_CONFIG_INVALID",
      `--json prints the report; name a file for ${format} with --out`,
    )
  // What is missing here is better told before the ledger is read.
  if (format === "html") readLatencyPageAssets()
  const { settings, credential, httpClient } = openContext("audit", auditSettings, options, streams)
  const { BACKUP_VAULTS: vaults, BACKUP_OBJECTIVE: objective } = settings
  const query = readAuditQuery(options, { vaults, objective }, systemClock.now())
  const file = options.out === undefined ? undefined : createNewFile(options.out)
  const parts = openAzureAudit({ settings, credential, httpClient })
  try {
    const report = await writeAudit({ ...parts, query }, format, file?.write ?? streams.out, streams)
    file?.close()
    if (options.json && file) streams.out(`${JSON.stringify(report)}\n`)
    else if (file) streams.out(`The audit is in ${options.out}\n`)
    if (format === "csv" && !report.complete) streams.err(`${formatProblems(report.problems).join("\n")}\n`)
    return exitCodeOf(report)
  } catch (error) {
    file?.discard()
    throw error
  } finally {
    await parts.close()
    await httpClient.close()
  }
}

/** Makes the report and writes it in `format`. */
async function writeAudit(
  options: ReadAuditOptions,
  format: AuditFormatName,
  write: (text: string) => void,
  streams: CommandStreams,
): Promise<AuditReport> {
  const line = createProgressLine(streams, systemClock)
  const csv = format === "csv" ? createLedgerCsv(write, options.query.objective) : undefined
  let read = 0
  try {
    const report = await readAudit({
      ...options,
      onVersion: (version) => {
        read += 1
        line.count("versions", read)
        csv?.addVersion(version)
      },
      onGap: (gap) => csv?.addGap(gap),
    })
    csv?.end()
    if (format !== "csv") for await (const text of reportFormats[format](report)) write(text)
    return report
  } finally {
    line.clear()
  }
}
