import { randomBytes } from "node:crypto"

/** A value that must be found nowhere, and how it would look where it is found. */
export interface Canary {
  readonly value: string
  readonly forms: readonly { readonly form: string; readonly bytes: Buffer }[]
}

/** A fresh random text to build a canary of. */
export function randomCanaryText(): string {
  return `canary${randomBytes(12).toString("hex")}`
}

/**
 * The value as it may appear raw, in JSON (also within JSON), in base64 and base64url wherever in a longer text,
 * URL-encoded, in hex and in UTF-16; and the same for each of its lines, since masking often covers the first only.
 */
export function createCanary(value: string): Canary {
  const parts = [...new Set([value, ...value.split(/\r?\n/)])].filter((part) => part.length >= 12)
  return { value, forms: parts.flatMap(formsOf) }
}

function formsOf(text: string): { form: string; bytes: Buffer }[] {
  const bytes = Buffer.from(text)
  const json = JSON.stringify(text).slice(1, -1)
  const forms: [string, string][] = [
    ["raw", text],
    ["JSON", json],
    ["JSON in JSON", JSON.stringify(json).slice(1, -1)],
    ["URL", encodeURIComponent(text)],
    ["form", new URLSearchParams({ v: text }).toString().slice(2)],
    ["hex", bytes.toString("hex")],
    ["HEX", bytes.toString("hex").toUpperCase()],
    ...base64Within(bytes).flatMap((base64): [string, string][] => [
      ["base64", base64],
      ["base64url", base64.replaceAll("+", "-").replaceAll("/", "_")],
    ]),
  ]
  return [
    ...forms.map(([form, encoded]) => ({ form, bytes: Buffer.from(encoded) })),
    { form: "UTF-16", bytes: Buffer.from(text, "utf16le") },
  ]
}

/** What base64 of a longer text has in common wherever `bytes` stand in it: one text for each of three positions. */
function base64Within(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64")
    const wholeCharacters = Math.floor(((before + bytes.length) * 8) / 6)
    return encoded.slice(Math.ceil((before * 8) / 6), wholeCharacters)
  })
}

/** Places that hold one of the canaries, as `place (form)`; empty when none does. */
export function findCanaries(
  places: ReadonlyMap<string, Uint8Array>,
  canaries: readonly Canary[],
): readonly string[] {
  const found: string[] = []
  for (const [place, content] of places) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
    const hit = canaries.flatMap(({ forms }) => forms).find((form) => bytes.includes(form.bytes))
    if (hit) found.push(`${place} (${hit.form})`)
  }
  return found
}
