import { randomBytes, randomInt } from "node:crypto"

/** The largest value a vault takes, in bytes of UTF-8. */
const maxValueBytes = 25_600

/** Letters and digits, fresh at each call. */
export function randomText(length: number): string {
  return randomBytes(length).toString("hex").slice(0, length)
}

/** Text framed as PEM, of many lines, with a trailing line ending. Random bytes: no key is in it. */
export function pemText(lineEnding: "\n" | "\r\n" = "\n"): string {
  const label = "INVENTED BYTES"
  const lines =
    randomBytes(1200)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join(lineEnding)
}

/** Line endings of three kinds in one value, inner and trailing spaces, a trailing line ending. */
export function mixedLineText(): string {
  return `first ${randomText(8)}\r\n\r\n  second \n\tthird\r${randomText(8)} \n`
}

/** As many bytes as fit, each character one byte. */
export function largestText(): string {
  return randomText(maxValueBytes)
}

/** As many bytes as fit, made of random characters of two, three and four bytes; none of one. */
export function largestMultiByteText(): string {
  const groupBytes = 12
  const groups = Array.from({ length: Math.floor(maxValueBytes / groupBytes) }, () =>
    String.fromCodePoint(latinLetter(), chineseCharacter(), chineseCharacter(), pictograph()),
  )
  return `${groups.join("")}${"🔑".repeat((maxValueBytes % groupBytes) / 4)}`
}

function latinLetter(): number {
  return randomInt(0x100, 0x180)
}

function chineseCharacter(): number {
  return randomInt(0x4e00, 0x9fa6)
}

function pictograph(): number {
  return randomInt(0x1f300, 0x1f600)
}
