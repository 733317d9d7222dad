import type { BlobMetadata } from "./ledgerEntry.ts"
import type { StoredBlob } from "./storeCatalog.ts"

/** One answer of List Blobs, read while it comes in. */
export interface ListingParser {
  /** Takes the next part of the text, wherever it was cut. @returns the blobs that are whole with it, in their order. */
  readonly push: (text: string) => StoredBlob[]
  /**
   * Says that the answer is over.
   *
   * @returns where the next page begins; `undefined` after the last one.
   * @throws SyntaxError when the answer is no listing, or only the beginning of one.
   */
  readonly end: () => string | undefined
}

const blobEnd = "</Blob>"
/** The head of an answer, and one blob, are far smaller; what is larger is no listing. */
const mostPending = 1_000_000

/**
 * A parser of what List Blobs answers: flat, with metadata. It reads that form and nothing else: elements without
 * mixed content, attributes nowhere but at a name that XML cannot hold.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
export function createListingParser(): ListingParser {
  let pending = ""
  let isListing = false
  return {
    push: (text) => {
      pending += text
      const blobs: StoredBlob[] = []
      let from = 0
      for (;;) {
        const end = pending.indexOf(blobEnd, from)
        if (end < 0) break
        const segment = pending.slice(from, end)
        from = end + blobEnd.length
        const start = segment.indexOf("<Blob>")
        if (start < 0) throw notAListing("a blob has no beginning")
        isListing ||= segment.slice(0, start).includes("<EnumerationResults")
        blobs.push(parseBlob(segment, start))
      }
      pending = pending.slice(from)
      if (pending.length > mostPending) throw notAListing("it has a part of more than a million characters")
      return blobs
    },
    end: () => {
      isListing ||= pending.includes("<EnumerationResults")
      if (!isListing) throw notAListing("it has no EnumerationResults")
      if (!/<\/EnumerationResults>\s*$/.test(pending)) throw notAListing("it breaks off")
      if (pending.includes("<Blob>")) throw notAListing("a blob has no end")
      const marker = textOf(pending, "NextMarker", 0)
      return marker === "" ? undefined : marker
    },
  }
}

function parseBlob(segment: string, start: number): StoredBlob {
  const name = nameOf(segment, start)
  const created = textOf(segment, "Creation-Time", start) ?? textOf(segment, "Last-Modified", start)
  const createdAt = new Date(created ?? "")
  if (name === undefined || Number.isNaN(createdAt.getTime())) {
    throw notAListing("a blob has no name or no time of creation")
  }
  return {
    name,
    createdAt,
    sizeBytes: Number(textOf(segment, "Content-Length", start) ?? 0),
    metadata: metadataOf(segment, start),
  }
}

/** A name with characters that XML cannot hold comes percent-encoded, and says so. */
function nameOf(segment: string, start: number): string | undefined {
  const encoded = textBetween(segment, '<Name Encoded="true">', "</Name>", start)
  return encoded === undefined ? textOf(segment, "Name", start) : decodeURIComponent(encoded)
}

function metadataOf(segment: string, start: number): BlobMetadata {
  const metadata: Record<string, string> = {}
  const block = textBetween(segment, "<Metadata>", "</Metadata>", start, false)
  for (const [, key = "", value = ""] of (block ?? "").matchAll(/<([\w.-]+)>([^<]*)<\/\1>/g)) {
    metadata[key] = decodeEntities(value)
  }
  return metadata
}

function textOf(text: string, element: string, from: number): string | undefined {
  return textBetween(text, `<${element}>`, `</${element}>`, from)
}

function textBetween(
  text: string,
  opening: string,
  closing: string,
  from: number,
  isText = true,
): string | undefined {
  const start = text.indexOf(opening, from)
  if (start < 0) return undefined
  const end = text.indexOf(closing, start + opening.length)
  if (end < 0) return undefined
  const inner = text.slice(start + opening.length, end)
  return isText ? decodeEntities(inner) : inner
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return entities[String(name)] ?? whole
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16))
  })
}

function notAListing(why: string): SyntaxError {
  return new SyntaxError(`The answer is no listing: ${why}`)
}
