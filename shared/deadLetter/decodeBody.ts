import { isUtf8 } from "node:buffer"
import type { AllowList } from "../change/allowList.ts"
import { type ParsedItem, parseChanges } from "../change/parseChanges.ts"

/**
 * What a body holds whose bytes are not the UTF-8 that every reader takes them for: the reading of the first encoding
 * under which it makes sense. `undefined` when it makes sense under none.
 *
 * Tried in this order: what a byte order mark says; UTF-16 where the zero bytes of ASCII text stand; Latin-1, unless the
 * bytes are UTF-8 after all and what was lost was lost before they were sent. Ids are ASCII, so that a wrong guess among encodings that agree on ASCII does no harm to
 * them.
 */
export function decodeChanges(bytes: Uint8Array, allowList: AllowList): readonly ParsedItem[] | undefined {
  for (const encoding of encodingsOf(bytes)) {
    const items = parseChanges(new TextDecoder(encoding).decode(bytes), allowList)
    if (items.some(isSense)) return items
  }
  return undefined
}

function isSense(item: ParsedItem): boolean {
  return (
    item.kind !== "poison" ||
    (item.error.code !== "ERR_EVENT_LOSSY" && item.error.code !== "ERR_EVENT_MALFORMED")
  )
}

type Encoding = "utf-16le" | "utf-16be" | "latin1"

function encodingsOf(bytes: Uint8Array): readonly Encoding[] {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return ["utf-16le"]
  if (first === 0xfe && second === 0xff) return ["utf-16be"]
  return [...utf16ByZeros(bytes), ...(isUtf8(bytes) ? [] : (["latin1"] as const))]
}

/** How much of a text is looked at; events begin with ASCII. */
const sampleBytes = 512

function utf16ByZeros(bytes: Uint8Array): readonly Encoding[] {
  const sample = bytes.subarray(0, sampleBytes)
  let even = 0
  let odd = 0
  for (const [index, byte] of sample.entries()) {
    if (byte !== 0) continue
    if (index % 2 === 0) even += 1
    else odd += 1
  }
  const many = sample.length / 4
  if (odd > many && even < many) return ["utf-16le"]
  return even > many && odd < many ? ["utf-16be"] : []
}
