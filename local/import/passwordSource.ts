import { readFileSync } from "node:fs"
import type { ReadStream, WriteStream } from "node:tty"

/** Where the passwords of locked files come from. They are never an argument, and never printed. */
export interface PasswordSource {
  /**
   * The password to try for `file`, `attempt` counting from 1; `undefined` when there is none, or no other one.
   */
  passwordOf(file: string, attempt: number): Promise<string | undefined>
}

/** No password at all. */
export const noPasswords: PasswordSource = { passwordOf: async () => undefined }

/**
 * The one password in `path`, for every file: its whole text without one line ending at its end.
 *
 * @throws Error when the file cannot be read.
 */
export function passwordsFromFile(path: string): PasswordSource {
  const password = readFileSync(path, "utf8").replace(/\r?\n$/, "")
  return { passwordOf: async (_file, attempt) => (attempt === 1 ? password : undefined) }
}

const maxAttempts = 3

/** Asks the person at the terminal, up to three times for a file; what is typed is not shown. */
export function passwordsFromTerminal(
  input: Pick<ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause" | "setEncoding">,
  output: Pick<WriteStream, "write">,
  interrupt: () => void,
): PasswordSource {
  return {
    passwordOf: async (file, attempt) => {
      if (attempt > maxAttempts) return undefined
      const prompt = `${attempt === 1 ? "" : "That does not open it. "}Password of ${file}: `
      const typed = await readHidden(input, () => output.write(prompt))
      output.write("\n")
      if (typed === undefined) interrupt()
      return typed
    },
  }
}

/** One line without echo; `undefined` when Ctrl-C or Ctrl-D ends it. Asks only once nothing is echoed any more. */
function readHidden(
  input: Pick<ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause" | "setEncoding">,
  ask: () => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let line = ""
    const finish = (result: string | undefined) => {
      input.off("data", take)
      input.setRawMode(false)
      input.pause()
      resolve(result)
    }
    const take = (data: string | Buffer) => {
      for (const character of String(data)) {
        if (character === "\r" || character === "\n") return finish(line)
        if (character === "\u0003" || (character === "\u0004" && line === "")) return finish(undefined)
        if (character === "\u007f" || character === "\b") line = [...line].slice(0, -1).join("")
        else line += character
      }
    }
    input.setEncoding("utf8")
    input.setRawMode(true)
    input.on("data", take)
    input.resume()
    ask()
  })
}
