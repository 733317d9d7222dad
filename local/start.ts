import { resolve } from "node:path"
import { Command, CommanderError, InvalidArgumentError } from "commander"
import {
  noPasswords,
  type PasswordSource,
  passwordsFromFile,
  passwordsFromTerminal,
} from "./import/passwordSource.ts"
import { StartError } from "./cloud/startError.ts"
import { readImports } from "./import/readImports.ts"
import { runLive } from "./run/live.ts"
import { runOnce } from "./run/once.ts"

interface StartOptions {
  readonly once?: boolean
  readonly import?: readonly string[]
  readonly timeout: number
  readonly keep?: string
  readonly passwordFile?: string
  readonly secondVault?: boolean
}

/** Reads a number of seconds. */
function seconds(text: string): number {
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0 || number > 86_400) {
    throw new InvalidArgumentError("It must be a number of seconds above 0, at most 86400.")
  }
  return number
}

const program = new Command("npm start --")
  .description("Runs the whole pipeline on an embedded local cloud, on 127.0.0.1 only.")
  .option("--once", "make the changes, wait for each to be stored, open and compare every record, and end")
  .option(
    "--import <paths...>",
    "take the secrets and certificates of your own files: dotenv, JSON {name: value}, PEM, PFX",
  )
  .option(
    "--password-file <file>",
    "the password of imported files that need one; absent, the terminal is asked",
  )
  .option("--timeout <seconds>", "how long --once waits for the outcomes", seconds, 120)
  .option(
    "--keep <directory>",
    "keep vault, queues, blobs, keys and ports there across restarts, kill -9 included",
  )
  .option("--second-vault", "have a second vault, such as to restore from one into the other")
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => {
      write(text)
      write(`\n${program.helpInformation()}`)
    },
  })
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 unknown, 2 wrong arguments, 30 something is not as it should be, 130 interrupted",
  )

/** Runs what the arguments ask for. @returns the exit code. */
async function main(): Promise<number> {
  try {
    program.parse()
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  if (program.args.length > 0) {
    process.stderr.write(`Unexpected: ${program.args.join(" ")}\n\n${program.helpInformation()}`)
    return 2
  }
  const options = program.opts<StartOptions>()
  const passwords = passwordSource(options.passwordFile)
  if (passwords === undefined) {
    process.stderr.write(`The password file ${options.passwordFile} cannot be read.\n`)
    return 2
  }
  const imports = options.import ? { imports: await readImports(options.import, passwords) } : {}
  const cloudOptions = {
    ...(options.keep === undefined ? {} : { keep: resolve(options.keep) }),
    ...(options.secondVault ? { vaultNames: ["local-vault", "second-vault"] } : {}),
  }
  return options.once
    ? runOnce({ directory: process.cwd(), ...cloudOptions, ...imports, timeoutMs: options.timeout * 1000 })
    : runLive({ directory: process.cwd(), ...cloudOptions, ...imports })
}

/** Where passwords come from; `undefined` when the file named for them cannot be read. */
function passwordSource(file: string | undefined): PasswordSource | undefined {
  if (file !== undefined) {
    try {
      return passwordsFromFile(file)
    } catch {
      return undefined
    }
  }
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) return noPasswords
  return passwordsFromTerminal(stdin, stderr, () => process.exit(130))
}

// Exits by name: a client of some library may hold a timer that has nothing left to do.
try {
  process.exit(await main())
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(2)
}
