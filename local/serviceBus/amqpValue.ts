import rhea from "rhea"
import type { Typed } from "rhea"

/** The parts of rhea's codec that its type declarations leave out. */
interface Codec {
  readonly Reader: new (bytes: Buffer) => { read(): Typed }
  readonly Writer: new () => { write(value: Typed): void; toBuffer(): Buffer }
  wrap(value: unknown): Typed
}

const codec = rhea.types as unknown as Codec

/** The elements of an encoded list or map, descriptor or not, each with its type; keys and values alternate in a map. */
export function readElements(bytes: Buffer): readonly Typed[] {
  return elementsOf(new codec.Reader(bytes).read())
}

/** The elements of a decoded list or map. Not to be changed: rhea has one array for all empty lists. */
export function elementsOf(value: Typed | undefined): readonly Typed[] {
  const elements: unknown = value?.value
  return Array.isArray(elements) ? (elements as readonly Typed[]) : []
}

/** A decoded map by key, its values with their types; undefined and null give an empty one. */
export function typedMap(value: Typed | undefined): Map<string, Typed> {
  const elements = elementsOf(value)
  const map = new Map<string, Typed>()
  for (let at = 0; at + 1 < elements.length; at += 2) {
    const entry = elements[at + 1]
    if (entry) map.set(String(elements[at]?.value), entry)
  }
  return map
}

/** Encodes `value` with a numeric descriptor. */
export function writeDescribed(descriptor: number, value: Typed): Buffer {
  const writer = new codec.Writer()
  writer.write(rhea.types.described(rhea.types.wrap_ulong(descriptor), value))
  return writer.toBuffer()
}

/** A decoded value with the type that fits it best; the type it once had on the wire is lost. */
export function toTyped(value: unknown): Typed {
  return codec.wrap(value)
}
