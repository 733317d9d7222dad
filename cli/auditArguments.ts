import { type Command, Option } from "commander"
import { auditFormatNames } from "./auditFormats.ts"

/** Adds the options of `audit` to its command. */
export function addAuditOptions(command: Command): Command {
  return command
    .option(
      "--since <time>",
      "versions stored since then: 24h, 30d, all or a time such as 2026-03-01 (default: 24h)",
    )
    .option(
      "--until <time>",
      "and before then; a report with an end is the same whenever it is made (default: now)",
    )
    .option("--objective <pNN=duration>", "instead of BACKUP_OBJECTIVE: p99=60s")
    .option("--vault <url>", "only this vault")
    .addOption(
      new Option("--format <format>", "how it is written (default: table)").choices(auditFormatNames),
    )
    .option("--out <file>", "write it to a new file")
}
