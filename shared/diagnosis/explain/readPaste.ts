/** A text that somebody pasted, in two readings. */
export interface Paste {
  /** Escapes and markup undone, every run of white space one space. */
  readonly text: string
  /** The same without any white space: words that a terminal or a mail broke in two are whole again. */
  readonly joined: string
  /** Was more given than is read? */
  readonly isCut: boolean
}

/** Bytes beyond this are not read: 10 MB. */
export const pasteLimitBytes = 10_000_000

/** What each wrapping writes in place of a character; constant replacements, since a function for each takes seconds. */
const escapes: readonly (readonly [RegExp, string])[] = [
  // JSON, also when it was escaped several times.
  [/\\{2,}/g, "\\"],
  [/\\(?:[nrt]|u000[9ad])/gi, " "],
  [/\\(["'/])/g, "$1"],
  [/\\u0022/gi, '"'],
  [/\\u0027/gi, "'"],
  [/\\u003c/gi, "<"],
  [/\\u003e/gi, ">"],
  [/\\u002f/gi, "/"],
  // HTML and XML.
  [/&amp;/gi, "&"],
  [/&lt;/gi, "<"],
  [/&gt;/gi, ">"],
  [/&(?:quot|#0{0,4}34|#x0{0,4}22);/gi, '"'],
  [/&(?:apos|#0{0,4}39|#x0{0,4}27);/gi, "'"],
  [/&nbsp;/gi, " "],
  // URLs.
  [/%(?:20|0a|0d)/gi, " "],
  [/%3c/gi, "<"],
  [/%3e/gi, ">"],
  [/%22/g, '"'],
  [/%27/g, "'"],
  [/%2f/gi, "/"],
  [/%3a/gi, ":"],
  // Colours of a terminal.
  [/\u001b\[[0-9;]{0,12}m/g, " "],
  // Quotation marks of a mail.
  [/\n[ \t]{0,8}[>|][>| \t]{0,40}/g, "\n"],
]

/** What a mail that has soft line breaks writes in place of a character; elsewhere `=22` is an id, or a value. */
const quotedPrintable: typeof escapes = [
  [/=\r?\n/g, ""],
  [/=3d/gi, "="],
  [/=22/g, '"'],
  [/=3c/gi, "<"],
  [/=3e/gi, ">"],
]

/** Wrappings that are undone: an error inside JSON inside JSON inside HTML is three. */
const rounds = 3

/**
 * Makes text of whatever was pasted: UTF-8, UTF-16 with or without a byte order mark, or bytes that are no text at all.
 * Takes time in proportion to its size, and throws nothing.
 */
export function readPaste(bytes: Uint8Array): Paste {
  const isCut = bytes.length > pasteLimitBytes
  let text = decode(isCut ? bytes.subarray(0, pasteLimitBytes) : bytes)
  if (/=\r?\n/.test(text)) {
    for (const [pattern, character] of quotedPrintable) text = text.replaceAll(pattern, character)
  }
  for (let round = 0; round < rounds; round++) {
    const before = text
    for (const [pattern, character] of escapes) text = text.replaceAll(pattern, character)
    if (text === before) break
  }
  text = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, " ")
  return { text, joined: text.replaceAll(" ", ""), isCut }
}

function decode(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes)
  const start = bytes.subarray(0, 1000)
  const zeros = (odd: number) => start.filter((byte, index) => byte === 0 && index % 2 === odd).length
  if (zeros(1) > start.length / 3 && zeros(0) === 0) return new TextDecoder("utf-16le").decode(bytes)
  // All that is looked for is ASCII, and a string of single bytes is searched several times faster.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
}
