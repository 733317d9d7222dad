import { readFields } from "../change/eventFields.ts"
import { parseTime } from "../store/ledgerEntry.ts"

/** One event of a dead-letter blob, and what Event Grid says of it. */
export interface BlobEntry {
  /** The entry's own text; a comma too many is taken out of it. */
  readonly text: string
  /** `REASON/OUTCOME`, as far as they are there. */
  readonly reason?: string
  /** When it was last tried, else when it was published. */
  readonly at?: Date
}

/**
 * The entries of a dead-letter blob, each read alone: an array of events, or one event. What is no JSON is an entry,
 * too; whatever stands in the blob stands in exactly one entry, and their order is their identity.
 *
 * The documentation's own sample of a CloudEvents dead letter has a comma too many, which is overlooked
 * (https://learn.microsoft.com/azure/event-grid/delivery-and-retry).
 */
export function parseDeadLetterBlob(body: Uint8Array): readonly BlobEntry[] {
  const text = new TextDecoder().decode(body).trim()
  const elements = text.startsWith("[") ? splitArray(text) : [text]
  return elements.filter((element) => element !== "").map(toEntry)
}

function toEntry(text: string): BlobEntry {
  const tidy = parse(text) === undefined ? withoutTrailingCommas(text) : text
  const value = parse(tidy)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { text }
  const said = readDeadLetterMembers(value)
  const reason = [said("deadletterreason"), said("lastdeliveryoutcome")].filter((part) => part !== undefined)
  const at = parseTime(said("lastdeliveryattempttime")) ?? parseTime(said("publishtime"))
  return { text: tidy, ...(reason.length > 0 ? { reason: reason.join("/") } : {}), ...(at ? { at } : {}) }
}

/** Every member is optional, and its spelling differs between the schemas; outcomes are no closed set. */
function readDeadLetterMembers(value: object): (name: string) => string | undefined {
  try {
    const fields = readFields(value)
    return (name) => {
      const member = fields.get(name)
      return typeof member === "string" && member !== "" ? member : undefined
    }
  } catch {
    return () => undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The texts between the commas of the outermost array; what follows its end belongs to the last one. */
function splitArray(text: string): string[] {
  const elements: string[] = []
  let start = 1
  for (const { at, character, depth } of structureOf(text)) {
    if (character === "," && depth === 1) {
      elements.push(text.slice(start, at).trim())
      start = at + 1
    } else if (character === "]" && depth === 0) {
      elements.push(`${text.slice(start, at)}${text.slice(at + 1)}`.trim())
      return elements
    }
  }
  elements.push(text.slice(start).trim())
  return elements
}

function withoutTrailingCommas(text: string): string {
  let tidy = ""
  let from = 0
  for (const { at, character } of structureOf(text)) {
    if (character !== "," || !/^\s*[}\]]/.test(text.slice(at + 1, at + 200))) continue
    tidy += text.slice(from, at)
    from = at + 1
  }
  return tidy + text.slice(from)
}

/** The commas and brackets that stand outside strings; the depth is that after the character. */
function* structureOf(text: string): Generator<{ at: number; character: string; depth: number }> {
  let depth = 0
  let isString = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (isString) {
      if (character === "\\") at += 1
      else if (character === '"') isString = false
    } else if (character === '"') isString = true
    else if ("[{".includes(character)) yield { at, character, depth: ++depth }
    else if ("]}".includes(character)) yield { at, character, depth: --depth }
    else if (character === ",") yield { at, character, depth }
  }
}
