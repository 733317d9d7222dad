/**
 * A document of Azurite's database as JSON: dates and bytes are marked, what the database itself adds is left out.
 */
export function stringifyDocument(document: object): string {
  return JSON.stringify(toJson(document))
}

/** The document that `stringifyDocument` wrote. */
export function parseDocument(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => fromJson(value))
}

const addedByTheDatabase = new Set(["$loki", "meta"])

function toJson(value: unknown): unknown {
  if (value instanceof Date) return { $date: value.toISOString() }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== "object" || value === null) return value
  const members = Object.entries(value).filter(([key]) => !addedByTheDatabase.has(key))
  return Object.fromEntries(members.map(([key, member]) => [key, toJson(member)]))
}

function fromJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if ("$date" in value && typeof value.$date === "string") return new Date(value.$date)
  if ("$bytes" in value && typeof value.$bytes === "string") return Buffer.from(value.$bytes, "base64")
  return value
}
