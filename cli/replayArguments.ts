import { type Command, Option } from "commander"
import { sourceNames } from "../shared/deadLetter/deadLetter.ts"

/** Adds the options of `replay` to its command. */
export function addReplayOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--from <source>", "where dead letters are taken from (default: all)").choices([
        ...sourceNames,
        "all",
      ]),
    )
    .addOption(
      new Option("--reason <code>", "only this cause; may be given more than once").argParser(
        (text: string, before: readonly string[] = []) => [...before, text],
      ),
    )
    .option("--vault <url>", "only changes of this vault")
    .option("--object <url>", "only this object or version; the attempt cap does not hold for it")
    .option("--older-than <age>", "only what has waited at least so long: 15m, 24h, 7d")
    .option("--attempts <n>", "only what was replayed at most so often")
    .option("--max-per-second <n>", "messages sent a second (default: 100)")
    .option("--out <file>", "write the plan to a new file")
    .option("--plan <file>", "the plan that is to be done")
    .option("--replan", "go on although the messages are not those of the plan any more")
    .option("--execute", "do it; without this nothing is sent, moved or removed")
    .option("--history", "show what was ever replayed")
}
