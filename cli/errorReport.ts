import { CommanderError } from "commander"
import { describeError, type ServiceError, toServiceError } from "../shared/errors.ts"

/**
 * What a person, or with `--json` a program, is told of an error.
 *
 * @param advice - what to try; default: the hint of the error's code.
 */
export function formatError(error: ServiceError, json: boolean, advice?: string): string {
  const hint = advice ?? error.hint
  const message = error.message.replace(/^\[\w+\] /, "")
  if (json) {
    return `${JSON.stringify({ format: "kvbackup-error/1", code: error.code, message, details: error.details, try: hint })}\n`
  }
  const where = Object.entries(error.details)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")
  return [
    `Error: [${error.code}] ${message}`,
    ...(where === "" ? [] : [`Where: ${where}`]),
    `Try:   ${hint}`,
    "",
  ].join("\n")
}

/** The exit code of an error; usage errors of the command line are 2. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
  return describeError(toServiceError(thrown).code).exitCode
}
