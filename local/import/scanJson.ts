/** One member of the outermost object. */
interface JsonMember {
  readonly name: string
  /** Where the name begins. */
  readonly offset: number
  /** The text where the value is a string, otherwise what the value is. */
  readonly value: { readonly text: string } | { readonly type: JsonValueType }
}

type JsonValueType = "an object" | "an array" | "a number" | "a boolean" | "null"

/** Members in the order of the text, repeated names included; or where the text stops being JSON. */
export type JsonScan =
  | { readonly members: readonly JsonMember[] }
  | { readonly errorOffset: number }
  | { readonly outermost: JsonValueType | "a string" }

/**
 * Finds the members of a JSON object (RFC 8259). `JSON.parse` tells neither their places nor which names are
 * repeated, and its messages quote the text. Accepts exactly what `JSON.parse` accepts, up to
 * 500 levels of nesting.
 */
export function scanJson(text: string): JsonScan {
  const reader = createReader(text)
  const members: JsonMember[] = []
  try {
    const outermost = reader.readValue(members)
    reader.expectEnd()
    if ("text" in outermost) return { outermost: "a string" }
    return outermost.type === "an object" ? { members } : { outermost: outermost.type }
  } catch (error) {
    if (error instanceof JsonFault) return { errorOffset: error.offset }
    throw error
  }
}

class JsonFault extends Error {
  readonly offset: number

  constructor(offset: number) {
    super("not JSON")
    this.offset = offset
  }
}

/** Deeper than any file a person writes, and far from the end of the stack. */
const maxDepth = 500
const space = /[ \t\n\r]*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

function createReader(text: string) {
  let position = 0

  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = position
    const found = pattern.exec(text)?.[0]
    position += found?.length ?? 0
    return found
  }

  /** The next character that is not space, taken when it is one of `expected`. */
  function takeMark(expected: string): string | undefined {
    take(space)
    const mark = text[position]
    if (mark === undefined || !expected.includes(mark)) return undefined
    position += 1
    return mark
  }

  /** Where a string is not well formed, the fault is where it begins. */
  function readString(): string {
    let end = position + 1
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1
    const source = text.slice(position, end + 1)
    const decoded = source.startsWith('"') ? parseString(source) : undefined
    if (decoded === undefined) throw new JsonFault(position)
    position = end + 1
    return decoded
  }

  function readValue(members: JsonMember[] | undefined, depth = 0): JsonMember["value"] {
    if (depth > maxDepth) throw new JsonFault(position)
    take(space)
    if (text[position] === '"') return { text: readString() }
    if (takeMark("{") !== undefined) {
      readMembers(members, depth)
      return { type: "an object" }
    }
    if (takeMark("[") !== undefined) {
      readElements(depth)
      return { type: "an array" }
    }
    const source = take(scalar)
    if (source === undefined) throw new JsonFault(position)
    if (source === "null") return { type: "null" }
    return { type: source === "true" || source === "false" ? "a boolean" : "a number" }
  }

  function readMembers(members: JsonMember[] | undefined, depth: number): void {
    if (takeMark("}") !== undefined) return
    do {
      take(space)
      const offset = position
      const name = readString()
      if (takeMark(":") === undefined) throw new JsonFault(position)
      const value = readValue(undefined, depth + 1)
      members?.push({ name, offset, value })
    } while (takeMark(",") !== undefined)
    if (takeMark("}") === undefined) throw new JsonFault(position)
  }

  function readElements(depth: number): void {
    if (takeMark("]") !== undefined) return
    do readValue(undefined, depth + 1)
    while (takeMark(",") !== undefined)
    if (takeMark("]") === undefined) throw new JsonFault(position)
  }

  function expectEnd(): void {
    take(space)
    if (position < text.length) throw new JsonFault(position)
  }

  return { readValue, expectEnd }
}

function parseString(source: string): string | undefined {
  try {
    return String(JSON.parse(source))
  } catch {
    return undefined
  }
}
