import { memberAt, type Members, membersOf, textAt } from "../armAnswer.ts"

/** One resource of a described set-up. */
export interface PlanResource {
  /** Lower case, such as `microsoft.storage/storageaccounts`. */
  readonly type: string
  /** With the names of its parents: `account/default/container`. */
  readonly name: string
  /** Lower case; empty where it is not told. */
  readonly id: string
  readonly location: string
  readonly identity: Members
  readonly sku: Members
  readonly properties: Members
}

/** A set-up as it is described. */
export interface Plan {
  readonly resources: readonly PlanResource[]
}

/**
 * Reads the snapshot of a Bicep plan (`predictedResources`), an ARM template or export (`resources`, also nested), or a
 * bare list of resources. Simple expressions are worked out: `parameters`, `variables`, `concat` and `resourceId` of known
 * values; others stay as they are, and no rule judges them.
 *
 * @returns undefined for JSON that describes no resources.
 */
export function readPlan(json: unknown): Plan | undefined {
  const list = Array.isArray(json)
    ? json
    : (membersOf(json)["predictedResources"] ?? membersOf(json)["resources"])
  const items = Array.isArray(list) ? list : Object.values(membersOf(list))
  const resources = flatten(items, scopeOf(json), "", "")
  return resources.length === 0 ? undefined : { resources }
}

type Scope = ReadonlyMap<string, unknown>

/** Default values of parameters, and variables, by `parameters('x')`. */
function scopeOf(template: unknown): Scope {
  const parameters = Object.entries(memberAt(template, "parameters")).map(
    ([name, value]) => [`parameters('${name}')`, membersOf(value)["defaultValue"]] as const,
  )
  const variables = Object.entries(memberAt(template, "variables")).map(
    ([name, value]) => [`variables('${name}')`, value] as const,
  )
  return new Map([...parameters, ...variables])
}

function flatten(
  items: readonly unknown[],
  scope: Scope,
  parentType: string,
  parentName: string,
): readonly PlanResource[] {
  return items.flatMap((item) => {
    const type = textAt(item, "type")
    if (type === "") return []
    if (/^microsoft\.resources\/deployments$/i.test(type)) {
      const template = memberAt(item, "properties", "template")
      return readPlan(template)?.resources ?? []
    }
    const fullType = parentType === "" ? type : `${parentType}/${type}`
    const own = String(resolve(textAt(item, "name"), scope))
    const name = parentName === "" ? own : `${parentName}/${own}`
    const children = membersOf(item)["resources"]
    return [
      {
        type: fullType.toLowerCase(),
        name,
        id: textAt(item, "id").toLowerCase(),
        location: String(resolve(textAt(item, "location"), scope))
          .toLowerCase()
          .replaceAll(" ", ""),
        identity: membersOf(resolve(membersOf(item)["identity"], scope)),
        sku: membersOf(resolve(membersOf(item)["sku"], scope)),
        properties: membersOf(resolve(membersOf(item)["properties"], scope)),
      },
      ...flatten(Array.isArray(children) ? children : [], scope, fullType, name),
    ]
  })
}

const deepest = 40

/** `value` with every expression in it worked out that can be. */
function resolve(value: unknown, scope: Scope, depth = 0): unknown {
  if (depth > deepest) return value
  if (typeof value === "string") {
    return value.startsWith("[") && value.endsWith("]") && !value.startsWith("[[")
      ? (evaluate(value.slice(1, -1), scope, depth) ?? value)
      : value
  }
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope, depth + 1))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, resolve(item, scope, depth + 1)]),
  )
}

function evaluate(expression: string, scope: Scope, depth: number): unknown {
  const text = expression.trim()
  const literal = /^'([^']*)'$/.exec(text)?.[1]
  if (literal !== undefined) return literal
  if (scope.has(text)) return resolve(scope.get(text), scope, depth + 1)
  const [, name = "", inner = ""] = /^(concat|resourceId)\((.*)\)$/s.exec(text) ?? []
  if (name === "") return undefined
  const parts = splitArguments(inner).map((part) => evaluate(part, scope, depth + 1))
  if (!parts.every((part) => typeof part === "string")) return undefined
  if (name === "concat") return parts.join("")
  const [type = "", ...names] = parts
  const [provider = "", ...kinds] = type.split("/")
  return `/providers/${provider}/${kinds.map((kind, index) => `${kind}/${names[index] ?? ""}`).join("/")}`
}

/** The arguments of a call, by the commas that stand in no parentheses and no text. */
function splitArguments(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let isText = false
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === "'") isText = !isText
    if (isText) continue
    if (character === "(") depth += 1
    if (character === ")") depth -= 1
    if (character === "," && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}
