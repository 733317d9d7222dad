import { accessSync, constants } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseArgs } from "node:util"

/** How long and how often to measure. */
export interface PipelineOptions {
  /** Of one cell: one scenario at one level in one round. */
  readonly seconds: number
  readonly rounds: number
  readonly inFlight: readonly number[]
  readonly jsonFile?: string
}

export const usage = `Usage: node bench/pipeline.ts [options]

  --seconds N      seconds of one cell, 0.2 to 600 (default 2)
  --rounds N       rounds over every cell, 1 to 100; medians are printed (default 3)
  --in-flight N,…  backups at a time, each 1 to 1000 (default 1,16,64)
  --json FILE      also write every cell and the medians to FILE
  --help           print this`

/**
 * Reads the arguments. Pure but for one question: can the JSON file be written?
 *
 * @returns the options, `help`, or what is wrong in words.
 */
export function readPipelineOptions(
  args: readonly string[],
): PipelineOptions | { readonly help: true } | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: "string", default: "2" },
        rounds: { type: "string", default: "3" },
        "in-flight": { type: "string", default: "1,16,64" },
        json: { type: "string" },
        help: { type: "boolean", default: false },
      },
    })
    if (values.help) return { help: true }
    const options = {
      seconds: readNumber("--seconds", values.seconds, 0.2, 600),
      rounds: readWhole("--rounds", values.rounds, 100),
      inFlight: values["in-flight"].split(",").map((level) => readWhole("--in-flight", level, 1000)),
    }
    if (new Set(options.inFlight).size < options.inFlight.length) {
      throw new RangeError("--in-flight names a level twice")
    }
    return values.json === undefined ? options : { ...options, jsonFile: readFile(values.json) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function readNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new RangeError(`${option} must be a number from ${least} to ${most}, not "${text}"`)
}

function readWhole(option: string, text: string, most: number): number {
  const value = readNumber(option, text, 1, most)
  if (Number.isInteger(value)) return value
  throw new RangeError(`${option} must be a whole number, not "${text}"`)
}

function readFile(path: string): string {
  const file = resolve(path)
  try {
    accessSync(dirname(file), constants.W_OK)
  } catch {
    throw new Error(`--json: there is no folder ${dirname(file)} to write to`)
  }
  return file
}
