/** A route template of an HTTP trigger, such as `objects/{name}/{version?}` or `files/{*path}`. */
export interface HttpRoute {
  /** The route's parameters when `path` (without the prefix, percent-encoded) fits, else undefined. */
  match(path: string): Readonly<Record<string, string>> | undefined
  /** Higher is tried first: literal segments count more than parameters. */
  readonly precedence: number
}

const constraints: Readonly<Record<string, RegExp>> = {
  int: /^-?\d+$/,
  long: /^-?\d+$/,
  guid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  alpha: /^[a-z]*$/i,
}

interface Parameter {
  readonly name: string
  readonly isOptional: boolean
  readonly isCatchAll: boolean
  readonly constraint: RegExp | undefined
}

type Segment = string | Parameter

/**
 * Parses a route template: literal segments, `{name}`, `{name?}`, `{*rest}` and the constraints int, long, guid
 * and alpha. Literals are compared without case, as the host does.
 *
 * @throws Error that names the template for a constraint or a mix of text and parameter it does not know.
 */
export function parseRoute(template: string): HttpRoute {
  const segments = split(template).map((text) => parseSegment(text, template))
  return {
    match: (path) => matchSegments(segments, split(path).map(decode)),
    precedence: segments.reduce((sum, segment) => sum * 3 + (typeof segment === "string" ? 2 : 1), 0),
  }
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "")
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function parseSegment(text: string, template: string): Segment {
  if (!/[{}]/.test(text)) return text.toLowerCase()
  const match = /^\{(\*?)(\w+)(?::(\w+))?(\?)?\}$/.exec(text)
  const [, star, name, constraintName, optional] = match ?? []
  const constraint = constraintName === undefined ? undefined : constraints[constraintName]
  if (name === undefined || (constraintName !== undefined && !constraint)) {
    throw new Error(
      `The route template '${template}' has a segment the local functions host cannot match: ${text}`,
    )
  }
  return { name, isCatchAll: star === "*", isOptional: optional === "?" || star === "*", constraint }
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const parameters: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const part = parts[index]
    if (typeof segment === "string") {
      if (part?.toLowerCase() !== segment) return undefined
    } else if (part === undefined) {
      if (!segment.isOptional) return undefined
    } else if (segment.isCatchAll) {
      parameters[segment.name] = parts.slice(index).join("/")
      return parameters
    } else {
      if (segment.constraint && !segment.constraint.test(part)) return undefined
      parameters[segment.name] = part
    }
  }
  return parts.length > segments.length ? undefined : parameters
}
