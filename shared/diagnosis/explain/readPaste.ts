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

/** An escape in a JSON text, an HTML text or a URL, a colour of a terminal, or a soft break of a mail. */
const escapes =
  /&(lt|gt|quot|amp|apos|nbsp|#0*39|#0*34|#x0*27|#x0*22);|\\+u00([2-7][0-9a-f])|\\+([nrt"'/])|%(3c|3e|22|27|2f|20|3a|7b|7d|2c|0a|0d)|\u001b\[[0-9;]{0,12}m|=\r?\n|=(3d|22|3c|3e)/gi

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  amp: "&",
  apos: "'",
  nbsp: " ",
}

/** Wrappings that are undone: an error inside JSON inside JSON inside HTML is three. */
const rounds = 3

/**
 * Makes text of whatever was pasted: UTF-8, UTF-16 with or without a byte order mark, or bytes that are no text at all.
 * Takes time in proportion to its size, and throws nothing.
 */
export function readPaste(bytes: Uint8Array): Paste {
  const isCut = bytes.length > pasteLimitBytes
  let text = decode(isCut ? bytes.subarray(0, pasteLimitBytes) : bytes)
  for (let round = 0; round < rounds; round++) {
    const undone = text.replace(escapes, undo)
    if (undone === text) break
    text = undone
  }
  // Quotation marks of mails go with the line breaks they stand at.
  text = text.replaceAll(/[\s\u0000-\u001f\u007f]+(?:[>|│]+[\s\u0000-\u001f]+)*/g, " ")
  return { text, joined: text.replaceAll(" ", ""), isCut }
}

function undo(
  whole: string,
  entity: string | undefined,
  unicode: string | undefined,
  letter: string | undefined,
  percent: string | undefined,
  printable: string | undefined,
): string {
  if (entity !== undefined) return entities[entity.toLowerCase()] ?? (/39|27/.test(entity) ? "'" : '"')
  if (letter !== undefined) return /[nrt]/i.test(letter) ? " " : letter
  const hex = unicode ?? percent ?? printable
  if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
  return whole.startsWith("=") ? "" : " "
}

function decode(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes)
  const start = bytes.subarray(0, 1000)
  const zeros = (odd: number) => start.filter((byte, index) => byte === 0 && index % 2 === odd).length
  if (zeros(1) > start.length / 3 && zeros(0) === 0) return new TextDecoder("utf-16le").decode(bytes)
  return new TextDecoder("utf-8").decode(bytes)
}
