import { closeSync, openSync, readSync } from "node:fs"
import { explainError } from "../shared/diagnosis/explain/explainError.ts"
import type { Explanation } from "../shared/diagnosis/explain/explanation.ts"
import { pasteLimitBytes } from "../shared/diagnosis/explain/readPaste.ts"
import { ServiceError } from "../shared/errors.ts"
import type { CommandStreams, GlobalOptions } from "./commandContext.ts"
import { exitDone, exitUnknown } from "./exitCodes.ts"

/**
 * `kvbackup explain [FILE]`: what a pasted Azure error means. Reads the file, or standard input; talks to nobody.
 *
 * @returns 0; 31 when nothing in the text tells.
 * @throws ServiceError ERR_CONFIG_INVALID when there is nothing to read.
 */
export async function runExplain(
  file: string | undefined,
  options: GlobalOptions,
  streams: CommandStreams,
): Promise<number> {
  const bytes = file === undefined || file === "-" ? await readInput(streams) : readStart(file)
  const explanation = explainError(bytes)
  const exitCode = explanation.kind === "unknown" ? exitUnknown : exitDone
  streams.out(
    options.json
      ? `${JSON.stringify({ format: "kvbackup-explain/1", exitCode, ...explanation })}\n`
      : formatExplanation(explanation),
  )
  return exitCode
}

const kindNames: Readonly<Record<Explanation["kind"], string>> = {
  network: "NETWORK",
  dataRole: "DATA ROLE",
  managementRole: "MANAGEMENT ROLE",
  objectState: "OBJECT STATE",
  authentication: "AUTHENTICATION",
  policy: "POLICY",
  throttling: "THROTTLING",
  unknown: "UNKNOWN",
}

/** The explanation for people. */
export function formatExplanation(explanation: Explanation): string {
  const { kind, service, code, says, isNot, identity, action, scope, remedy, also, isCut } = explanation
  const line = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`${`${name}:`.padEnd(11)} ${value}`]
  return [
    `${kindNames[kind]}${code === undefined ? "" : `   ${code}${service === undefined ? "" : ` (${service})`}`}`,
    "",
    says,
    "",
    ...line("Identity", identity?.objectId ?? identity?.appId),
    ...line("Action", action),
    ...line("Scope", scope),
    ...isNot.flatMap((sentence) => line("Is not", sentence)),
    ...line("Fix", remedy.says),
    ...line("Bicep", remedy.bicep),
    ...line("Command", remedy.command),
    ...also.flatMap((other) => line("Also", `${kindNames[other.kind]} (${other.code})`)),
    ...(isCut ? line("Note", "only the first 10 MB were read") : []),
    "",
  ].join("\n")
}

/** One byte more than is looked at, so that a cut is noticed. */
const readBytes = pasteLimitBytes + 1

function readStart(file: string): Uint8Array {
  try {
    const handle = openSync(file, "r")
    try {
      const buffer = Buffer.alloc(readBytes)
      let length = 0
      for (;;) {
        const read = readSync(handle, buffer, length, readBytes - length, null)
        length += read
        if (read === 0 || length === readBytes) return buffer.subarray(0, length)
      }
    } finally {
      closeSync(handle)
    }
  } catch (cause) {
    throw new ServiceError("ERR_CONFIG_INVALID", `Cannot read the file ${file}`, { cause })
  }
}

async function readInput({ stdin, isInputTerminal, err }: CommandStreams): Promise<Uint8Array> {
  if (!stdin) throw new ServiceError("ERR_CONFIG_INVALID", "There is no text to explain: name a file")
  if (isInputTerminal) err("Paste the error, then press Ctrl-D on a line of its own.\n")
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= readBytes) break
  }
  return Buffer.concat(chunks).subarray(0, readBytes)
}
