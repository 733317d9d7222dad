import { truncateMiddle } from "../builtIn/truncateMiddle.ts"

/** One row of the live table. */
export interface LiveRow {
  readonly object: string
  readonly version: string
  readonly outcome: string
  readonly tookMs?: number
  readonly blob?: string
}

/** Rows as they come; on a terminal with one line of figures that stays below them. */
export interface LiveTable {
  readonly print: (text: string) => void
  readonly row: (row: LiveRow) => void
  readonly figures: (text: string) => void
  readonly end: (text: string) => void
}

const widths = { object: 28, version: 8, outcome: 14, ms: 6 }

/**
 * A table on `output`. When that is no terminal, rows are plain lines with two spaces between columns, nothing is cut,
 * and figures are left out.
 */
export function createLiveTable(output: NodeJS.WriteStream): LiveTable {
  const isTerminal = output.isTTY
  let footer = ""
  let hasHeading = false
  const clear = () => (isTerminal && footer !== "" ? "\r\u001B[K" : "")
  const line = (text: string) => output.write(`${clear()}${text}\n${isTerminal ? footer : ""}`)
  const fit = (text: string) => truncateMiddle(text, Math.max(20, output.columns - 1))
  return {
    print: line,
    row: ({ object, version, outcome, tookMs, blob }) => {
      const ms = tookMs === undefined ? "-" : String(tookMs)
      if (!isTerminal) {
        line([object, version, outcome, ms, blob ?? "-"].join("  "))
        return
      }
      if (!hasHeading) line(cells("object", "version", "outcome", "ms", "blob"))
      hasHeading = true
      line(fit(cells(object, version.slice(0, widths.version), outcome, ms, blob ?? "-")))
    },
    figures: (text) => {
      if (!isTerminal || text === footer) return
      output.write(`\r\u001B[K${fit(text)}`)
      footer = fit(text)
    },
    end: (text) => {
      output.write(`${clear()}${text}\n`)
      footer = ""
    },
  }
}

function cells(object: string, version: string, outcome: string, ms: string, blob: string): string {
  return [
    truncateMiddle(object, widths.object).padEnd(widths.object),
    version.padEnd(widths.version),
    outcome.padEnd(widths.outcome),
    ms.padStart(widths.ms),
    blob,
  ].join("  ")
}
