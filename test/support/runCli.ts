import { main } from "../../cli/main.ts"

/** How a command ended, and what it printed. */
export interface CliEnd {
  readonly exitCode: number
  readonly out: string
  readonly err: string
  /** The document it printed, with `--json`. */
  json<T = Record<string, unknown>>(): T
}

/** Runs one command line of `kvbackup` in this process, against the local cloud below `directory`. */
export async function runCli(directory: string, ...argv: readonly string[]): Promise<CliEnd> {
  let out = ""
  let err = ""
  const exitCode = await main([...argv, "--local"], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
    cwd: directory,
  })
  return { exitCode, out, err, json: <T>() => JSON.parse(out) as T }
}
