import { isUtf8 } from "node:buffer"

/** A file as text, or why it is none. */
export type DecodedText =
  | {
      /** Without byte order mark, every line ending `\n`. */
      readonly text: string
      /** Lines, from 1, whose bytes are not UTF-8; there the text has replacement characters. */
      readonly brokenLines: ReadonlySet<number>
    }
  | { readonly problem: string }

/** Reads bytes as UTF-8 and tells which lines are not. */
export function decodeText(bytes: Buffer): DecodedText {
  if (bytes.subarray(0, 2).equals(utf16LittleEndian) || bytes.subarray(0, 2).equals(utf16BigEndian)) {
    return { problem: "the file is UTF-16 text; save it as UTF-8" }
  }
  if (bytes.includes(0)) return { problem: "the file is not text" }
  const text = new TextDecoder("utf-8").decode(bytes).replace(lineEnding, "\n")
  return { text, brokenLines: isUtf8(bytes) ? new Set() : brokenLines(bytes) }
}

const utf16LittleEndian = Buffer.from([0xff, 0xfe])
const utf16BigEndian = Buffer.from([0xfe, 0xff])
const lineEnding = /\r\n?/g

/** No byte of a longer UTF-8 sequence is a line ending, so lines can be told apart before decoding. */
function brokenLines(bytes: Buffer): ReadonlySet<number> {
  const broken = new Set<number>()
  for (const [index, line] of bytes
    .toString("latin1")
    .split(/\r\n?|\n/)
    .entries()) {
    if (!isUtf8(Buffer.from(line, "latin1"))) broken.add(index + 1)
  }
  return broken
}
