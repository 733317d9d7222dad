import { toServiceError } from "../errors.ts"
import { addDays, type Day, type DayRange, endOfDay } from "./digestDay.ts"
import {
  type DigestBlob,
  findDigest,
  type ReadDigestParts,
  type SignedStoredDigest,
  type StoredDigest,
} from "./digestStore.ts"
import type { ChainBreak, ProofFinding } from "./proof.ts"

/** What the digests of one day are worth, before anything is held against the listing. */
export interface CheckedDay {
  /** Signed with a trusted key, of this store and day. */
  readonly digest?: SignedStoredDigest
  readonly findings: readonly ProofFinding[]
  /** Why a digest could not be read or judged. */
  readonly code?: string
}

/** The digests of a range. */
export interface CheckedDigests {
  readonly days: ReadonlyMap<Day, CheckedDay>
  /** The day of the first digest of all, when that is known. */
  readonly begins?: Day
}

const readsAtOnce = 16

/**
 * Reads the digests of a range and of the day before it, and checks signature, place and chain of each.
 *
 * Never throws: what could not be read has its code.
 */
export async function checkDigests(
  parts: ReadDigestParts,
  blobs: ReadonlyMap<Day, readonly DigestBlob[]>,
  { from, to }: DayRange,
): Promise<CheckedDigests> {
  const inOrder = [...blobs.keys()].sort()
  const before = from === "" ? "" : addDays(from, -1)
  const asked = inOrder.filter((day) => day >= before && day <= to)
  const days = new Map<Day, CheckedDay>()
  for (let start = 0; start < asked.length; start += readsAtOnce) {
    const some = asked.slice(start, start + readsAtOnce)
    const read = await Promise.all(some.map((day) => readDay(parts, blobs.get(day) ?? [])))
    for (const [index, day] of some.entries()) days.set(day, read[index] ?? { findings: [] })
  }
  const begins = await findBeginning(parts, blobs, inOrder, days)
  for (const [day, checked] of days) {
    if (day >= from && checked.digest) days.set(day, checkLink(checked, checked.digest, days, begins))
  }
  return {
    days: new Map([...days].filter(([day]) => day >= from)),
    ...(begins === undefined ? {} : { begins }),
  }
}

async function readDay(parts: ReadDigestParts, blobs: readonly DigestBlob[]): Promise<CheckedDay> {
  const findings: ProofFinding[] = []
  let digest: SignedStoredDigest | undefined
  let code: string | undefined
  for (const blob of blobs) {
    try {
      const found = await findDigest(parts, blob)
      if (!found) continue
      if (!isSigned(found)) findings.push(toFinding(found))
      // The same bytes once more say nothing else.
      else if (digest?.sha256 === found.sha256) continue
      else if (digest && !isEarly(digest)) {
        findings.push({ kind: "digestForked", day: found.day, blob: found.blob })
      } else {
        if (digest) findings.push(early(digest))
        digest = found
      }
    } catch (error) {
      code = toServiceError(error).code
    }
  }
  if (digest && isEarly(digest)) findings.push(early(digest))
  return { findings, ...(digest ? { digest } : {}), ...(code === undefined ? {} : { code }) }
}

/** It was stored before its day was over, so it cannot cover all of it. */
export function isEarly({ day, storedAt }: DigestBlob): boolean {
  return storedAt < endOfDay(day)
}

function early({ day, blob, storedAt }: DigestBlob): ProofFinding {
  return { kind: "digestEarly", day, blob, storedAt }
}

function isSigned(digest: StoredDigest): digest is SignedStoredDigest {
  return digest.opened.kind === "signed"
}

function toFinding({ day, blob, opened }: StoredDigest): ProofFinding {
  switch (opened.kind) {
    case "untrusted":
      return { kind: "digestUntrusted", day, blob, kid: opened.kid }
    case "forged":
      return { kind: "digestForged", day, blob, kid: opened.kid }
    case "misplaced":
      return { kind: "digestMisplaced", day, blob, of: `${opened.store} ${opened.day}` }
    default:
      return { kind: "digestMalformed", day, blob }
  }
}

/**
 * The day before may be missing: that is said of that day, and this one is not blamed for it. Where it could not be read
 * the link could not be checked.
 */
function checkLink(
  checked: CheckedDay,
  { day, blob, opened }: SignedStoredDigest,
  days: ReadonlyMap<Day, CheckedDay>,
  begins: Day | undefined,
): CheckedDay {
  const { previous } = opened.digest
  const before = days.get(addDays(day, -1))
  const broken = (why: ChainBreak): CheckedDay => ({
    ...checked,
    findings: [...checked.findings, { kind: "chainBroken", day, blob, why }],
  })
  if (!previous) return day === begins ? checked : broken("beginsAnew")
  if (previous.day !== addDays(day, -1)) return broken("skipsDays")
  if (before?.digest && before.digest.sha256 !== previous.sha256) return broken("previousDiffers")
  if (before && !before.digest && before.code !== undefined && checked.code === undefined) {
    return { ...checked, code: before.code }
  }
  return checked
}

/** The day of the first digest, where that names no other: only there a chain may begin. */
async function findBeginning(
  parts: ReadDigestParts,
  blobs: ReadonlyMap<Day, readonly DigestBlob[]>,
  inOrder: readonly Day[],
  days: ReadonlyMap<Day, CheckedDay>,
): Promise<Day | undefined> {
  for (const day of inOrder) {
    const { digest } = days.get(day) ?? (await readDay(parts, blobs.get(day) ?? []))
    if (digest) return digest.opened.digest.previous ? undefined : day
  }
  return undefined
}
