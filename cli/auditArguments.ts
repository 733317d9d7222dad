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
    .option(
      "--prove <days>",
      "prove the entries of closed days by their signed digests: 2026-11-24, 2026-11-01..2026-11-24 or all",
    )
    .option(
      "--digest-key <key>",
      "trust this key for a proof: file or Key Vault key URL (default: BACKUP_DIGEST_KEY)",
    )
    .option("--save-copy <folder>", "with --prove: keep listing and digests in a new folder")
    .option("--copy <folder>", "with --prove: prove such a folder, without access to the store")
}
