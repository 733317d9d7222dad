import { createHash, type Hash } from "node:crypto"
import type { Clock } from "../clock.ts"
import { toServiceError } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { isEntryList } from "./collectEntries.ts"
import { checkDigests, type CheckedDay, type CheckedDigests, isEarly } from "./checkDigests.ts"
import { type Day, type DayRange, dayOf, daysOf, lastClosedDay, lastDueDay } from "./digestDay.ts"
import { formatDigestEntry, listEntries } from "./digestEntry.ts"
import { type DigestBlob, listDigests, listEntryLists, type ReadDigestParts } from "./digestStore.ts"
import { nameChanges } from "./nameChanges.ts"
import type { DayProof, Proof, ProofFinding } from "./proof.ts"
import type { Digest } from "./signedDigest.ts"

/** What a proof is made with: reading rights only. */
export interface ProofParts extends ReadDigestParts {
  readonly catalog: StoreCatalog
  readonly clock: Clock
}

/** Changes that are named at most, and days whose changes are. */
const namedChanges = 1000
const namedDays = 31

/** The entries of one day as the listing has them. */
interface ListedDay {
  readonly hash: Hash
  count: number
}

/** What the listing holds in a range. */
interface Listing {
  readonly days: ReadonlyMap<Day, ListedDay>
  /** Entries dated before the chain begins: it began with the oldest one there was. */
  readonly tooOld: readonly ProofFinding[]
  readonly more: number
}

/**
 * Proves the closed days of a range: each has its digest, signed with a trusted key, chained to the one before, and
 * the listing of the store holds exactly what the digest vouches for. `all` begins with the first digest.
 *
 * Never throws for what it could not read: that is `unknown` in the proof, with the code. In memory it holds a few
 * numbers a day, and while it names what differs, one list of each such day.
 */
export async function proveDigests(parts: ProofParts, range: DayRange | "all"): Promise<Proof> {
  const now = parts.clock.now()
  const closed = lastClosedDay(now)
  const head = { store: parts.storeName, lastClosedDay: closed }
  const asked = range === "all" ? { from: "", to: closed } : range
  const within = { from: asked.from, to: asked.to > closed ? closed : asked.to }
  let blobs: ReadonlyMap<Day, readonly DigestBlob[]>
  let lists: ReadonlyMap<Day, readonly string[]>
  try {
    blobs = await listDigests(parts.catalog)
    lists = await listEntryLists(parts.catalog)
  } catch (error) {
    return { ...head, days: [], findings: [], more: 0, incomplete: toServiceError(error).code }
  }
  const checked = await checkDigests(parts, blobs, within)
  const listing = await readListing(parts.catalog, within, checked.begins).catch(toServiceError)
  const listed = "days" in listing ? listing.days : undefined
  const failed = "days" in listing ? undefined : listing.code
  const { from, to } = { ...within, from: firstDay(within.from, checked, listed) }
  const findings: ProofFinding[] = []
  // What lies outside of the chain is none of its digests, whoever put it there.
  if (range === "all") findings.push(...strayDigests(checked.days, blobs, { from, to }))
  const days: DayProof[] = []
  const differing: Digest[] = []
  for (const day of daysOf({ from, to })) {
    const ofDay = checked.days.get(day) ?? { findings: [] }
    const found = await withUnnamedLists(parts, day, ofDay, lists.get(day) ?? [])
    const { proof, isSame } = proveDay(day, found, listed, lastDueDay(now))
    if (found.digest && !isSame) differing.push(found.digest.opened.digest)
    findings.push(...found.findings)
    if (proof.status === "wrong" && !found.digest && found.findings.length === 0) {
      findings.push({ kind: "digestMissing", day })
    }
    days.push(failed === undefined ? proof : withCode(proof, failed))
  }
  const named = await nameAll(parts, differing, listed)
  return {
    ...head,
    ...(days.length === 0 ? {} : { from, to }),
    ...(checked.begins === undefined ? {} : { chainBegins: checked.begins }),
    days: days.map((proof) => withCode(proof, named.unread.get(proof.day))),
    findings: sortByDay([...findings, ...("tooOld" in listing ? listing.tooOld : []), ...named.findings]),
    more: named.more + ("more" in listing ? listing.more : 0),
    ...optionalCode("incomplete", failed ?? named.incomplete),
  }
}

/**
 * A list that the day's digest does not name was named by another one: a run that is cut off and comes again writes the
 * same lists, since a closed day's entries do not change. What is no list under a list's name says nothing.
 */
async function withUnnamedLists(
  { reader }: ProofParts,
  day: Day,
  checked: CheckedDay,
  lists: readonly string[],
): Promise<CheckedDay> {
  const { digest } = checked
  const named = new Set(digest?.opened.digest.lists.map(({ blob }) => blob))
  const unnamed = digest ? lists.filter((blob) => !named.has(blob)) : []
  const findings: ProofFinding[] = []
  let { code } = checked
  for (const blob of unnamed.slice(0, namedChanges)) {
    try {
      if (await isEntryList(reader, blob)) findings.push({ kind: "listUnnamed", day, blob })
    } catch (error) {
      ;({ code } = toServiceError(error))
    }
  }
  return { ...checked, findings: [...checked.findings, ...findings], ...optionalCode("code", code) }
}

function withCode(proof: DayProof, code: string | undefined): DayProof {
  return code === undefined || proof.status === "wrong" ? proof : { ...proof, status: "unknown", code }
}

function optionalCode<K extends string>(key: K, code: string | undefined): { [P in K]?: string } {
  return code === undefined ? {} : ({ [key]: code } as { [P in K]?: string })
}

function proveDay(
  day: Day,
  { digest, findings, code }: CheckedDay,
  listed: ReadonlyMap<Day, ListedDay> | undefined,
  due: Day,
): { readonly proof: DayProof; readonly isSame: boolean } {
  if (!digest) {
    if (code !== undefined) return { proof: { day, status: "unknown", code }, isSame: true }
    const isPending = day > due && findings.length === 0
    return { proof: { day, status: isPending ? "pending" : "wrong" }, isSame: true }
  }
  const { entries } = digest.opened.digest
  const of = listed?.get(day)
  const sha256 = (of?.hash.copy() ?? createHash("sha256")).digest("hex")
  const isSame = !listed || (sha256 === entries.sha256 && (of?.count ?? 0) === entries.count)
  const status = isSame && findings.length === 0 ? "proved" : "wrong"
  const { storedAt } = digest
  const proof = { day, status, entries: entries.count, storedAt, kid: digest.opened.kid } as const
  return { proof: withCode(proof, code), isSame }
}

async function readListing(
  catalog: StoreCatalog,
  { from, to }: DayRange,
  begins: Day | undefined,
): Promise<Listing> {
  const days = new Map<Day, ListedDay>()
  const tooOld: ProofFinding[] = []
  let more = 0
  for await (const blob of listEntries(catalog)) {
    const day = dayOf(blob.createdAt)
    if (day < from || day > to) continue
    if (begins !== undefined && day < begins) {
      if (tooOld.length < namedChanges) tooOld.push({ kind: "entryAdded", day, blob: blob.name })
      else more += 1
      continue
    }
    const of = days.get(day) ?? { hash: createHash("sha256"), count: 0 }
    days.set(day, of)
    of.hash.update(formatDigestEntry(blob))
    of.count += 1
  }
  return { days, tooOld, more }
}

/**
 * Where the range begins in truth: days before the chain have no digests. Where its beginning is not known, what is
 * there tells how far back it went at least.
 */
function firstDay(
  from: Day,
  { days, begins }: CheckedDigests,
  listed: ReadonlyMap<Day, ListedDay> | undefined,
): Day {
  if (begins !== undefined) return begins > from ? begins : from
  if (from !== "") return from
  const known = [...days].flatMap(([day, { digest, code }]) => {
    const previous = digest?.opened.digest.previous
    return digest || code !== undefined ? [day, ...(previous ? [previous.day] : [])] : []
  })
  return [...known, ...(listed?.keys() ?? [])].sort()[0] ?? noDay
}

/** After every day there is, so that a range from it holds none. */
const noDay = "9999-12-31"

function strayDigests(
  checked: ReadonlyMap<Day, CheckedDay>,
  blobs: ReadonlyMap<Day, readonly DigestBlob[]>,
  { from, to }: DayRange,
): ProofFinding[] {
  const before = [...checked].filter(([day]) => day < from).flatMap(([, { findings }]) => findings)
  const after = [...blobs]
    .filter(([day]) => day > to)
    .flatMap(([, ofDay]) => ofDay)
    // By this machine's clock its day is not closed; by the service's it may be.
    .filter(isEarly)
    .map(({ day, blob, storedAt }): ProofFinding => ({ kind: "digestEarly", day, blob, storedAt }))
  return [...before, ...after]
}

interface NamedFindings {
  readonly findings: readonly ProofFinding[]
  readonly more: number
  readonly unread: ReadonlyMap<Day, string>
  readonly incomplete?: string
}

/** Each differing day ends with at least one finding: its changes by name, or that it differs. */
async function nameAll(
  { catalog, reader }: ProofParts,
  differing: readonly Digest[],
  listed: ReadonlyMap<Day, ListedDay> | undefined,
): Promise<NamedFindings> {
  const differs = ({ day, entries }: Digest): ProofFinding => ({
    kind: "dayDiffers",
    day,
    expected: entries.count,
    found: listed?.get(day)?.count ?? 0,
  })
  if (differing.length === 0) return { findings: [], more: 0, unread: new Map() }
  const digests = differing.slice(0, namedDays)
  try {
    const { changes, more, brokenLists, unreadLists } = await nameChanges({
      catalog,
      reader,
      digests,
      limit: namedChanges,
    })
    const named = new Set(changes.map(({ day }) => day))
    return {
      findings: [
        ...changes,
        ...brokenLists.map((list): ProofFinding => ({ kind: "listBroken", ...list })),
        ...differing.filter(({ day }) => !named.has(day)).map(differs),
      ],
      more,
      unread: new Map(unreadLists.map(({ day, code }) => [day, code])),
    }
  } catch (error) {
    // That they differ is known; what differs is not.
    const { code } = toServiceError(error)
    return { findings: differing.map(differs), more: 0, unread: new Map(), incomplete: code }
  }
}

function sortByDay(findings: readonly ProofFinding[]): ProofFinding[] {
  return findings.toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0))
}
