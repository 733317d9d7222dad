import https from "node:https"
import tls from "node:tls"
import { createCertificateAuthority } from "../local/tls/certificateAuthority.ts"
import { listen } from "../local/tls/listen.ts"
import { formatLedgerEntry } from "../shared/store/ledgerEntry.ts"

/** The service's own page size. */
export const pageSize = 5000

const vaults = 4
const firstMs = Date.UTC(2026, 0, 1)
/** One blob in a hundred is a gap, of which half are closed by a record. */
const gapEvery = 100

/** The vaults whose versions the listing holds. */
export const listedVaults = Array.from({ length: vaults }, (_value, n) => `https://kv-${n}.vault.azure.net`)

/** What the process that reads needs to know of the one that serves. */
export interface ListingAddress {
  readonly url: string
  readonly caPem: string
}

/**
 * Serves a container of `size` blobs as List Blobs answers it, page by page, generated as it is asked for: the whole is
 * never in memory on this side either.
 */
export async function serveListing(size: number): Promise<ListingAddress> {
  const { caPem, issue } = await createCertificateAuthority()
  const server = https.createServer(
    { ...(await issue([])), keepAliveTimeout: 60_000 },
    (request, response) => {
      const query = new URL(request.url ?? "/", "https://localhost").searchParams
      const from = Number(query.get("marker") ?? 0)
      const page = formatPage(from, Math.min(from + pageSize, size), size)
      response.writeHead(200, {
        "content-type": "application/xml",
        "content-length": Buffer.byteLength(page),
      })
      response.end(page)
    },
  )
  const { port } = await listen(server, 0)
  return { url: `https://127.0.0.1:${port}/account`, caPem }
}

/** Makes this process trust the server. */
export function trustListing({ caPem }: ListingAddress): void {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), caPem])
}

function formatPage(from: number, to: number, size: number): string {
  const blobs: string[] = []
  for (let index = from; index < to; index += 1) blobs.push(formatBlob(index, size))
  const next = to < size ? `<NextMarker>${to}</NextMarker>` : "<NextMarker />"
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://account.blob.core.windows.net/" ContainerName="keyvault-backups"><MaxResults>${pageSize}</MaxResults><Blobs>${blobs.join("")}</Blobs>${next}</EnumerationResults>`
}

function formatBlob(index: number, size: number): string {
  const gaps = Math.floor(size / gapEvery)
  const isGap = index < gaps
  const place = isGap ? index : index - gaps
  const total = isGap ? gaps : size - gaps
  const host = `kv-${Math.floor((place * vaults) / total)}.vault.azure.net`
  // A gap of an even place has the name of a record, which closes it.
  const id = isGap ? (place % 2 === 0 ? place * (gapEvery - 1) : size + place) : place
  const path = `${host}/secrets/secret-${String(id).padStart(8, "0")}/${hex(id, 32)}`
  const eventMs = firstMs + ((id * 7919) % (30 * 86_400)) * 1000 + (id % 1000)
  const enqueuedMs = eventMs + 40 + (mix(id) % 900)
  const receivedMs = enqueuedMs + 5 + (mix(id + 1) % 29_000) ** 2 / 29_000
  const putMs = Math.floor(receivedMs) + 30 + (mix(id + 2) % 400)
  const at = (ms: number) => new Date(Math.floor(ms))
  const metadata = formatLedgerEntry({
    ...(isGap ? {} : { changedAt: at(Math.floor(eventMs / 1000) * 1000), readAt: at(putMs - 12) }),
    eventAt: at(eventMs),
    enqueuedAt: at(enqueuedMs),
    receivedAt: at(receivedMs),
    putAt: at(putMs),
    origin: id % 50 === 0 ? "replay" : "live",
    attempt: id % 20 === 0 ? 3 : 1,
    replays: id % 50 === 0 ? 1 : 0,
    eventId: `${hex(id, 8)}-8d2f-4b0e-9c1a-0f6d3b7c9a11`,
    kids: isGap
      ? []
      : ["https://kv-recovery.vault.azure.net/keys/backup/0f6d3b7c9a110f6d3b7c9a110f6d3b7c", "offline"],
    format: isGap ? "keyvault-gap/1" : "keyvault-backup/1",
    sha256: hex(id, 64),
    ...(isGap ? { code: "ERR_VAULT_VERSION_DISABLED" } : {}),
  })
  const name = isGap ? `gaps/v1/${path}.disabled.json` : `v1/${path}.jwe.json`
  const created = new Date(Math.floor((putMs + 20) / 1000) * 1000).toUTCString()
  const tags = Object.entries(metadata).map(([key, value]) => `<${key}>${value}</${key}>`)
  return `<Blob><Name>${name}</Name><Properties><Creation-Time>${created}</Creation-Time><Last-Modified>${created}</Last-Modified><Etag>0x8DE2C0${hex(id, 9)}</Etag><Content-Length>1600</Content-Length><Content-Type>application/jose+json</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>${hex(id, 22)}==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties><Metadata>${tags.join("")}</Metadata><OrMetadata /></Blob>`
}

function hex(id: number, length: number): string {
  return id.toString(16).padStart(length, "0")
}

/** A number that looks like no other's neighbour: Knuth's multiplicative hash. */
function mix(id: number): number {
  return Math.imul(id, 2_654_435_761) >>> 0
}
