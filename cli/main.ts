import { Command, CommanderError, Option } from "commander"
import { ServiceError, toServiceError } from "../shared/errors.ts"
import packageJson from "../package.json" with { type: "json" }
import { type AuditOptions, runAudit } from "./audit.ts"
import { addAuditOptions } from "./auditArguments.ts"
import type { CommandStreams, GlobalOptions } from "./commandContext.ts"
import { type DoctorCommandOptions, runDoctor } from "./doctor.ts"
import { addDoctorOptions } from "./doctorArguments.ts"
import { exitCodeOf, formatError } from "./errorReport.ts"
import { exitUnknown } from "./exitCodes.ts"
import { runExplain } from "./explain.ts"
import { keyOptions } from "./keyArguments.ts"
import { type ReconcileOptions, runReconcileCommand } from "./reconcile.ts"
import { addReplayOptions } from "./replayArguments.ts"
import { type ReplayOptions, runReplayCommand } from "./replay.ts"
import { type RestoreOptions, runRestore } from "./restore.ts"
import { addRestoreOptions } from "./restoreArguments.ts"
import { runStatus } from "./status.ts"
import { runVerify, type VerifyOptions } from "./verify.ts"

const { version } = packageJson

const exitCodeHelp = `
Exit codes:
  0    done
  2    usage or settings
  30   ran, and found something that needs attention
  31   could not tell
  130  interrupted
  others: see docs/errors.md; treat an unknown code as a failure`

/**
 * Runs one command line.
 *
 * @param argv - without the program's own name.
 * @returns the exit code. Never throws and never ends the process.
 */
export async function main(argv: readonly string[], streams: CommandStreams): Promise<number> {
  let exitCode = 0
  const program = new Command("kvbackup")
  program
    .version(version, "--version", "print the version")
    .description("Backup of every Azure Key Vault version, seconds after it appears")
    .option("--local", "talk to the running local cloud (npm start)")
    .option("--json", "print one JSON document")
    .addOption(
      new Option("--credential <kind>", "where tokens come from").choices([
        "managedIdentity",
        "azureCli",
        "workloadIdentity",
      ]),
    )
    .configureOutput({ writeOut: streams.out, writeErr: streams.err, outputError: () => {} })
    .exitOverride()
    .addHelpText("after", exitCodeHelp)
  const add = (name: string, description: string) => {
    const command = program.command(name).description(description).addHelpText("after", exitCodeHelp)
    command
      .option("--local", "talk to the running local cloud (npm start)")
      .option("--json", "print one JSON document")
    return command
  }
  add("status", "what is protected since when, and what is not").action(
    async (_options, command: Command) => {
      exitCode = await runStatus(command.optsWithGlobals<GlobalOptions>(), streams)
    },
  )
  addAuditOptions(add("audit", "when each version was protected, how fast, and what was not")).action(
    async (_options, command: Command) => {
      exitCode = await runAudit(command.optsWithGlobals<AuditOptions>(), streams)
    },
  )
  keyOptions(
    add("verify", "compare the vaults with the store")
      .option("--deep", "open every record and compare it with the vault")
      .option("--object <url>", "only this object: https://VAULT/secrets/NAME"),
  ).action(async (_options, command: Command) => {
    exitCode = await runVerify(command.optsWithGlobals<VerifyOptions>(), streams)
  })
  addDoctorOptions(
    add("doctor", "why it does not work from here: names, ports, tokens, roles, policy"),
  ).action(async (_options, command: Command) => {
    exitCode = await runDoctor(command.optsWithGlobals<DoctorCommandOptions>(), streams)
  })
  add("explain", "what a pasted Azure error means, what it is not, and the narrowest fix")
    .argument("[file]", "the text; without it, standard input")
    .action(async (file: string | undefined, _options, command: Command) => {
      exitCode = await runExplain(file, command.optsWithGlobals<GlobalOptions>(), streams)
    })
  add("reconcile", "find versions that the vaults have and the store has not")
    .option("--vault <url>", "only this vault")
    .option("--execute", "send them; without this nothing is written")
    .action(async (_options, command: Command) => {
      exitCode = await runReconcileCommand(command.optsWithGlobals<ReconcileOptions>(), streams)
    })
  // A stop of a replay or a restore is its code; every other command gives an answer, and one without has none.
  let stopCodeOf = (error: ServiceError) =>
    error.code === "ERR_CONFIG_INVALID" ? exitCodeOf(error) : exitUnknown
  addReplayOptions(add("replay", "send dead letters again: a plan first, then --execute")).action(
    async (_options, command: Command) => {
      stopCodeOf = exitCodeOf
      exitCode = await runReplayCommand(command.optsWithGlobals<ReplayOptions>(), streams)
    },
  )
  addRestoreOptions(add("restore", "put versions back: a plan first, then --execute")).action(
    async (_options, command: Command) => {
      stopCodeOf = exitCodeOf
      exitCode = await runRestore(command.optsWithGlobals<RestoreOptions>(), streams)
    },
  )
  try {
    await program.parseAsync(argv, { from: "user" })
    return exitCode
  } catch (thrown) {
    const json = program.opts<GlobalOptions>().json === true || argv.includes("--json")
    const report = (error: ServiceError, advice?: string) =>
      (json ? streams.out : streams.err)(formatError(error, json, advice))
    if (thrown instanceof CommanderError) {
      // Help was asked for (0), or shown for want of a command (2): it is written already.
      if (!/^commander\.(help|version)/.test(thrown.code)) report(toUsageError(thrown), usageAdvice)
      return exitCodeOf(thrown)
    }
    const error = toServiceError(thrown)
    report(error)
    // An answer that could not be completed is "could not tell", whatever the cause; wrong settings stay usage errors.
    return stopCodeOf(error)
  }
}

const usageAdvice = "Run `kvbackup --help`; it lists commands and options."

function toUsageError({ message }: CommanderError): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " "))
}
