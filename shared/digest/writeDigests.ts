import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import type { BackupStore } from "../store/backupStore.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { isEarly } from "./checkDigests.ts"
import { createEntryCollector, sha256Of } from "./collectEntries.ts"
import { type Day, addDays, dayOf, daysOf, lastClosedDay } from "./digestDay.ts"
import { formatDigestEntry, listEntries } from "./digestEntry.ts"
import type { DigestSigner } from "./digestKey.ts"
import { digestAttempts, formatDigestName } from "./digestNames.ts"
import {
  findDigest,
  listDigests,
  type ReadDigestParts,
  readDigest,
  type StoredDigest,
} from "./digestStore.ts"
import { type Digest, digestFormat, openDigest, signDigest } from "./signedDigest.ts"

/** What the digests of one store are written with. */
export interface DigestParts extends ReadDigestParts {
  readonly catalog: StoreCatalog
  readonly store: Pick<BackupStore, "putIfAbsent">
  readonly signer: DigestSigner
  readonly clock: Clock
}

/** A digest that is in the store. */
export interface WrittenDigest {
  readonly day: Day
  readonly blob: string
  readonly entries: number
  readonly kid: string
  /** `alreadyStored`: another run was faster. */
  readonly outcome: "stored" | "alreadyStored"
}

/** How a run ended. */
export interface DigestRun {
  readonly lastClosedDay: Day
  /** In order; none when the newest closed day has its digest already. */
  readonly written: readonly WrittenDigest[]
}

/**
 * Writes the digest of every closed day after the newest digest, in order, from one listing of the store. The first
 * run begins with the day of the oldest entry. Days without entries have a digest, too. Safe to repeat, and to cut off:
 * each digest is one write-once blob, and the next run goes on after the last.
 *
 * A digest that was removed and has a successor is never written anew. The newest one is: this cannot be told from a run
 * that was cut off. Where the day's entries were changed meanwhile, the proof names the list that no digest names any more.
 *
 * @param onWritten - is called after each.
 * @throws ServiceError ERR_DIGEST_CHAIN when digests are there and no trusted key has signed one; ERR_DIGEST_KEY,
 * ERR_DIGEST_LISTING, ERR_VAULT_…, ERR_STORE_…
 */
export async function writeMissingDigests(
  parts: DigestParts,
  onWritten: (digest: WrittenDigest) => void = () => {},
): Promise<DigestRun> {
  const closed = lastClosedDay(parts.clock.now())
  // A key that cannot sign is found before anything is written.
  await parts.signer.describe()
  const last = await findLastDigest(parts, closed)
  if (last && last.day >= closed) return { lastClosedDay: closed, written: [] }
  const collector = createEntryCollector(parts)
  for await (const blob of listEntries(parts.catalog)) {
    const day = dayOf(blob.createdAt)
    if (day <= closed && (!last || day > last.day)) await collector.add(day, formatDigestEntry(blob))
  }
  const first = last ? addDays(last.day, 1) : oldest(collector.days, closed)
  const written: WrittenDigest[] = []
  let previous: Digest["previous"] = last && linkTo(last)
  for (const day of daysOf({ from: first, to: closed })) {
    const { stored, outcome } = await writeDigest(parts, {
      format: digestFormat,
      store: parts.storeName,
      day,
      ...(previous ? { previous } : {}),
      ...(await collector.finish(day)),
      madeAt: parts.clock.now().toISOString(),
    })
    const { blob, opened } = stored
    previous = linkTo(stored)
    const digest = { day, blob, entries: opened.digest.entries.count, kid: opened.kid, outcome }
    written.push(digest)
    onWritten(digest)
  }
  return { lastClosedDay: closed, written }
}

type ValidDigest = Omit<StoredDigest, "opened" | "storedAt" | "sizeBytes"> & {
  readonly opened: Extract<StoredDigest["opened"], { readonly kind: "signed" }>
}

/** The newest digest that a trusted key has signed. What somebody else has put under such a name is passed over. */
async function findLastDigest(parts: DigestParts, closed: Day): Promise<ValidDigest | undefined> {
  const blobs = [...(await listDigests(parts.catalog))]
    .filter(([day]) => day <= closed)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .flatMap(([, ofDay]) => ofDay)
  for (const blob of blobs) {
    const digest = await findDigest(parts, blob)
    if (digest && isValid(digest) && !isEarly(digest)) return digest
  }
  if (blobs.length === 0) return undefined
  throw new ServiceError(
    "ERR_DIGEST_CHAIN",
    "No digest in the store is signed with a key that is trusted here",
    {
      details: { newest: blobs[0]?.blob ?? "" },
    },
  )
}

function isValid(digest: StoredDigest): digest is StoredDigest & ValidDigest {
  return digest.opened.kind === "signed"
}

async function writeDigest(
  parts: DigestParts,
  digest: Digest,
): Promise<{ readonly stored: ValidDigest; readonly outcome: WrittenDigest["outcome"] }> {
  const { day } = digest
  const bytes = await signDigest(digest, parts.signer)
  const opened = await openDigest(bytes, parts.keys)
  if (opened.kind !== "signed") {
    throw new ServiceError(
      "ERR_DIGEST_KEY",
      "The key has signed, and its own signature does not prove the digest",
    )
  }
  const sha256 = sha256Of(bytes)
  const metadata = { format: digestFormat, putat: parts.clock.now().toISOString(), sha256 }
  for (let attempt = 0; attempt < digestAttempts; attempt++) {
    const blob = formatDigestName(day, attempt)
    const outcome = await parts.store.putIfAbsent(blob, bytes, "application/jose+json", metadata)
    if (outcome === "stored") return { stored: { blob, day, sha256, opened }, outcome }
    const listed = (await listDigests(parts.catalog)).get(day)?.find((each) => each.blob === blob)
    const there = listed && (await readDigest(parts, listed))
    // One that was stored before the day was over does not cover it.
    if (there && isValid(there) && !isEarly(there)) return { stored: there, outcome }
  }
  throw new ServiceError(
    "ERR_DIGEST_CHAIN",
    "Every name that a day's digest may have is taken by somebody else",
    {
      details: { day },
      hint: "Find out who may add blobs below digest/; nobody but the identity of audit has to.",
    },
  )
}

function linkTo({ day, blob, sha256 }: ValidDigest): Digest["previous"] {
  return { day, blob, sha256 }
}

function oldest(days: Iterable<Day>, closed: Day): Day {
  let found = closed
  for (const day of days) if (day < found) found = day
  return found
}
