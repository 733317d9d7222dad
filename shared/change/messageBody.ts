import { ServiceError } from "../errors.ts"

/** What had to be undone to get at the JSON. `json`: nothing; the library had parsed it. */
type DecodedFrom = "json" | "quoted" | "base64" | "dataContract" | "bytes"

/** The JSON object or array in a message's body, or why there is none. */
export type MessageBody =
  | { readonly value: object; readonly decodedFrom: DecodedFrom }
  | { readonly error: ServiceError }

/** What a decoder puts where bytes were no text. What was there cannot be told any more. */
const replacementCharacter = "\uFFFD"

/**
 * What the .NET binary XML writer puts before a serialised string: element `string`, its namespace (51
 * characters, hence the `3`). A record type and a length of one, two or four bytes follow, of which a text
 * decoder makes characters as it pleases. Senders of the classic .NET library frame their bodies so
 * (https://learn.microsoft.com/openspecs/windows_protocols/mc-nbfx).
 */
const dataContractPrefix = "@\u0006string\u00083http://schemas.microsoft.com/2003/10/Serialization/"
const minFramingLength = 2
const maxFramingLength = 5

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The JSON in what the Functions library hands over as a message: the parsed value when the text was JSON, else
 * the text, or bytes. Text may be JSON quoted once, base64 of JSON, or JSON in DataContract framing; a byte order
 * mark does no harm.
 *
 * Never throws. The error is ERR_EVENT_LOSSY when text has replacement characters, or looks like UTF-16 taken for
 * UTF-8: the broker has the true bytes. Whatever else holds no JSON object or array is ERR_EVENT_MALFORMED. No
 * error quotes the body.
 */
export function readMessageBody(body: unknown): MessageBody {
  // Text that the library could not parse had a mark in front; text that it could was a JSON string.
  if (typeof body === "string") return readText(body, body.startsWith("\uFEFF") ? "json" : "quoted")
  // Not fatal: the framing bytes of a DataContract are no UTF-8, and what follows them is judged as text.
  if (body instanceof Uint8Array) return readText(new TextDecoder().decode(body), "bytes")
  if (isObject(body)) return accept(body, "json")
  return malformed(`is ${body === null ? "null" : typeof body}`)
}

/** `decodedFrom` tells how the text came about; only text that was not quoted before may be quoted once. */
function readText(text: string, decodedFrom: "json" | "quoted" | "bytes"): MessageBody {
  if (text.startsWith(dataContractPrefix)) return readDataContract(text.slice(dataContractPrefix.length))
  // No JSON text has a zero character, and nearly every UTF-16 text that was taken for UTF-8 has.
  if (text.includes(replacementCharacter) || text.includes("\0")) return lossy()
  const content = text.trim()
  if (content === "") return malformed("is empty")
  const parsed = parseJson(content)
  if (isObject(parsed)) return accept(parsed, decodedFrom)
  if (typeof parsed === "string" && decodedFrom !== "quoted") return readText(parsed, "quoted")
  if (parsed !== undefined) return malformed(`is JSON, but ${typeof parsed} within`)
  const decoded = parseBase64(content)
  return isObject(decoded) ? accept(decoded, "base64") : malformed("is text that holds no JSON")
}

function readDataContract(framed: string): MessageBody {
  // A length byte may itself look like the bracket that begins the JSON, so each place is tried.
  for (let start = minFramingLength; start <= maxFramingLength; start++) {
    const parsed = parseJson(framed.slice(start).replace(/\u0001$/, ""))
    if (isObject(parsed)) return accept(parsed, "dataContract")
  }
  // The framing itself is no UTF-8: what cannot be read is better dead-lettered by the broker, byte for byte.
  return framed.includes(replacementCharacter)
    ? lossy()
    : malformed("is a serialised string that holds no JSON")
}

function accept(value: object, decodedFrom: DecodedFrom): MessageBody {
  return hasReplacementCharacter(value) ? lossy() : { value, decodedFrom }
}

/** Walks without recursion, so that no nesting is too deep. */
function hasReplacementCharacter(root: object): boolean {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value === "string" && value.includes(replacementCharacter)) return true
    if (!isObject(value)) continue
    for (const [key, member] of Object.entries(value)) {
      if (key.includes(replacementCharacter)) return true
      pending.push(member)
    }
  }
  return false
}

function parseBase64(text: string): unknown {
  const compact = text.replaceAll(/\s/g, "")
  if (!base64Pattern.test(compact)) return undefined
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(compact, "base64")))
  } catch {
    return undefined
  }
}

/** `undefined` for what is no JSON: no JSON text means that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null
}

function lossy(): MessageBody {
  return {
    error: new ServiceError(
      "ERR_EVENT_LOSSY",
      "The body is not the text that was sent: bytes that are no UTF-8 were replaced on the way. The broker has the true bytes; replay its dead letter.",
    ),
  }
}

function malformed(how: string): MessageBody {
  return {
    error: new ServiceError(
      "ERR_EVENT_MALFORMED",
      `The body ${how}, where a JSON object or array was expected. Look at the message in quarantine, and fix the sender.`,
    ),
  }
}
