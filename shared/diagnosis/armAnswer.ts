import type { CallAnswer } from "./harmlessCall.ts"

/** JSON of unknown shape that is read member by member. */
export type Members = Readonly<Record<string, unknown>>

/** `value` as an object; of anything else, one without members. */
export function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

/** The object at a path of member names. */
export function memberAt(value: unknown, ...path: readonly string[]): Members {
  return membersOf(path.reduce<unknown>((at, name) => membersOf(at)[name], value))
}

/** A member that is text, else the empty text. */
export function textAt(value: unknown, name: string): string {
  const found = membersOf(value)[name]
  return typeof found === "string" ? found : ""
}

/** A member that is a list, else an empty one. */
export function listAt(value: unknown, name: string): readonly unknown[] {
  const found = membersOf(value)[name]
  return Array.isArray(found) ? found : []
}

/** The `properties` of a resource; undefined where it was not told. */
export function propertiesOf(answer: CallAnswer | undefined): Members | undefined {
  return answer?.status === 200 ? memberAt(answer.json, "properties") : undefined
}
