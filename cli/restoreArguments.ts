import type { Command } from "commander"
import { keyOptions } from "./keyArguments.ts"

/** Adds the options of `restore` to its command. */
export function addRestoreOptions(command: Command): Command {
  return keyOptions(
    command
      .option("--object <url>", "one object, or exactly one version: https://VAULT/secrets/NAME[/VERSION]")
      .option("--vault <url>", "the newest version of every object that this vault had")
      .option("--at <time>", "what was there at that time: 2026-03-01T12:00:00Z")
      .option("--to <url>", "the vault to restore into; nothing there is overwritten")
      .option("--to-dir <directory>", "files below this directory, for nobody else to read")
      .option("--as <name>", "another name in the target, with --object")
      .option("--allow-other-cloud", "contents may leave the cloud of the vault that they come from")
      .option("--execute", "do it; without this nothing is written"),
  )
}
