import { readFileSync } from "node:fs"

/** A message body, and what each of its items must turn out to be; test/vectors/changeEvent.json has them. */
export interface ChangeVector {
  readonly name: string
  /** Vaults on the allow-list; absent, `kvDemo`. */
  readonly vaults?: readonly string[]
  /** What is on the wire: a JSON value, a text, or bytes. */
  readonly input: { readonly json: unknown } | { readonly text: string } | { readonly base64: string }
  /** A code, or a change or a skipped event in short. */
  readonly expect: readonly (string | Readonly<Record<string, unknown>>)[]
}

export const kvDemo = "https://kv-demo.vault.azure.net"

export const changeVectors: readonly ChangeVector[] = JSON.parse(
  readFileSync(new URL("../vectors/changeEvent.json", import.meta.url), "utf8"),
)

/** The bytes of a vector's body. */
export function bytesOf(input: ChangeVector["input"]): Buffer {
  if ("json" in input) return Buffer.from(JSON.stringify(input.json))
  return "text" in input ? Buffer.from(input.text) : Buffer.from(input.base64, "base64")
}

/** What the handler gets for a message with these bytes: the host makes text of them, the library tries JSON. */
export function asHandedOver(bytes: Buffer): unknown {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What the worker reports of an item: its outcome, with the id, the reason or the code. */
export function outcomeOf(item: ChangeVector["expect"][number]): {
  readonly is: string
  readonly of: string
} {
  if (typeof item === "string") return { is: "poison", of: item }
  if ("skipped" in item) return { is: "skipped", of: String(item["skipped"]) }
  return { is: "stored", of: String(item["change"]) }
}
