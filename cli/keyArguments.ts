import { type Command, Option } from "commander"

/** Adds the options that name the keys which open records. */
export function keyOptions(command: Command): Command {
  return command
    .option("--key-file <file>", "private JWK Set that opens records")
    .addOption(
      new Option(
        "--unwrap-key <url>",
        "key in Key Vault that opens records, with its version; may be given more than once",
      ).argParser((text: string, before: readonly string[] = []) => [...before, text]),
    )
}
