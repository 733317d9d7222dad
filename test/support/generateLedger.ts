import { createHash } from "node:crypto"
import { origins } from "../../shared/change/change.ts"
import { gapReasons } from "../../shared/store/blobName.ts"
import type { StoredBlob } from "../../shared/store/storeCatalog.ts"

/** The vaults of the made-up ledger. */
export const ledgerVaults = [
  "https://kv-a.vault.azure.net",
  "https://kv-b.vault.azure.net",
  "https://127.0.0.1:8443",
]

/** The period that the expected figures are of: the ledger begins before it and goes on after it. */
export const ledgerPeriod = {
  since: new Date("2026-02-03T00:00:00Z"),
  until: new Date("2026-02-27T12:00:00Z"),
}

const firstMs = Date.UTC(2026, 1, 1)
const spanMs = 28 * 86_400_000

/** A listing of `count` blobs in the order of their names, the same for the same seed. */
export function generateLedger(seed: number, count: number): StoredBlob[] {
  const random = mulberry32(seed)
  const blobs = Array.from({ length: count }, (_value, index) => generateBlob(random, index))
  return blobs.flat().sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** The listing as lines of JSON: what the independent calculation reads. */
export function formatLedgerLines(blobs: readonly StoredBlob[]): string {
  return blobs.map((blob) => `${JSON.stringify(blob)}\n`).join("")
}

/** Tells whether the generator still makes the ledger that the expected figures are of. */
export function hashOfLines(lines: string): string {
  return createHash("sha256").update(lines).digest("hex")
}

function generateBlob(random: () => number, index: number): StoredBlob[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const whole = (from: number, to: number) => from + Math.floor(random() * (to - from))
  const spread = (from: number, to: number) => Math.floor(from * (to / from) ** random())
  const hex = (length: number) =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("")
  const host = pick(ledgerVaults).slice("https://".length).replace(":", "_")
  const origin = random() < 0.8 ? "live" : pick(origins)
  const hasEvent = origin !== "reconcile" && random() < 0.97
  const isDeferred = random() < 0.1
  const changedMs = firstMs + whole(0, spanMs / 1000) * 1000
  const eventMs = changedMs + whole(0, 1500)
  // One in a hundred events comes hours late; the clocks of the publisher and the broker differ by up to 200 ms.
  const enqueuedMs = eventMs + (random() < 0.01 ? spread(60_000, 4 * 3_600_000) : whole(-200, 900))
  const receivedMs = enqueuedMs + (isDeferred ? spread(15_000, 20_000_000) : spread(2, 9000))
  const readMs = receivedMs + spread(5, 800)
  const putMs = readMs + spread(2, 300) - (random() < 0.05 ? 700 : 0)
  const iso = (ms: number) => new Date(ms).toISOString()
  const version = hex(32)
  const metadata: Record<string, string> = {
    changedat: iso(changedMs),
    ...(hasEvent ? { eventat: iso(eventMs) } : {}),
    enqueuedat: iso(enqueuedMs),
    receivedat: iso(receivedMs),
    readat: iso(readMs),
    putat: iso(putMs),
    origin,
    attempt: String(isDeferred ? whole(2, 9) : 1),
    replays: origin === "replay" ? "1" : "0",
    eventid: hex(12),
    kid: "recovery",
    format: "keyvault-backup/1",
    sha256: hex(64),
    ...(random() < 0.01 ? { privatekey: "absentByPolicy" } : {}),
  }
  spoil(metadata, random, index)
  const createdAt = new Date(Math.floor((putMs + whole(1, 400)) / 1000) * 1000)
  const collection = pick(["secrets", "secrets", "certificates"])
  const path = `${host}/${collection}/name-${whole(0, 400)}/${version}`
  const record = { name: `v1/${path}.jwe.json`, createdAt, sizeBytes: whole(900, 4000), metadata }
  const isGap = random() < 0.03
  if (!isGap) return [record]
  const { changedat: _changed, readat: _read, kid: _kid, privatekey: _key, ...left } = metadata
  const gapOf = (reason: string) => ({
    name: `gaps/v1/${path}.${reason}.json`,
    createdAt,
    sizeBytes: 200,
    metadata: { ...left, format: "keyvault-gap/1", code: "ERR_VAULT_VERSION_DISABLED" },
  })
  const gaps = [gapOf("disabled"), ...(random() < 0.1 ? [gapOf(pick(gapReasons.slice(1)))] : [])]
  // Half of them were closed later, some only after the period.
  if (random() < 0.5) return gaps
  return [...gaps, { ...record, createdAt: new Date(createdAt.getTime() + whole(60, 400_000) * 1000) }]
}

/** Entries that nobody can measure: one in 250. */
function spoil(metadata: Record<string, string>, random: () => number, index: number): void {
  if (index % 250 !== 17) return
  const put = Date.parse(metadata["putat"] ?? "")
  const ways: Readonly<Record<string, string>>[] = [
    { putat: new Date(put - 3 * 3_600_000).toISOString() },
    { eventat: "1970-01-01T00:00:00.000Z" },
    { changedat: "9999-12-31T23:59:59.000Z" },
    { receivedat: "yesterday" },
    { origin: "elsewhere" },
    { format: "keyvault-backup/2" },
  ]
  Object.assign(metadata, ways[Math.floor(random() * ways.length)])
}

/** Thirty-two bits of state, the same sequence on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
