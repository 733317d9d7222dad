import type { Day } from "./digestDay.ts"
import type { ChangedEntry } from "./nameChanges.ts"

/** One thing that the proof names. */
export type ProofFinding =
  | ChangedEntry
  /** The entries are not those of the digest, and its lists do not tell which. */
  | { readonly kind: "dayDiffers"; readonly day: Day; readonly expected: number; readonly found: number }
  /** The day has no digest, or none that a trusted key has signed. */
  | { readonly kind: "digestMissing"; readonly day: Day }
  /** Something lies under a digest's name and is none. */
  | { readonly kind: "digestMalformed"; readonly day: Day; readonly blob: string }
  /** Signed with a key that is not trusted here. */
  | { readonly kind: "digestUntrusted"; readonly day: Day; readonly blob: string; readonly kid: string }
  /** It names a trusted key, and was changed or never signed by it. */
  | { readonly kind: "digestForged"; readonly day: Day; readonly blob: string; readonly kid: string }
  /** A digest of another store or another day. */
  | { readonly kind: "digestMisplaced"; readonly day: Day; readonly blob: string; readonly of: string }
  /** Two digests of one day, each signed with a trusted key. */
  | { readonly kind: "digestForked"; readonly day: Day; readonly blob: string }
  /** It was stored before its day was over, so it cannot cover all of it. */
  | { readonly kind: "digestEarly"; readonly day: Day; readonly blob: string; readonly storedAt: Date }
  /** A list of the day's entries that its digest does not name: an earlier digest of the day was there, and is gone. */
  | { readonly kind: "listUnnamed"; readonly day: Day; readonly blob: string }
  /** It does not name the digest of the day before as that is. */
  | { readonly kind: "chainBroken"; readonly day: Day; readonly blob: string; readonly why: ChainBreak }
  /** A list of entries is not what its digest vouches for. */
  | { readonly kind: "listBroken"; readonly day: Day; readonly blob: string }

/**
 * `previousDiffers`: the digest of the day before is not the one that this one was chained to. `beginsAnew`: it names
 * none, and is not the first. `skipsDays`: it names that of another day.
 */
export type ChainBreak = "previousDiffers" | "beginsAnew" | "skipsDays"

/**
 * What became of one day. `proved`: digest, chain and entries are as they were since
 * the digest was stored. `wrong`: a finding names what is not.
 * `unknown`: it could not be told. `pending`: its digest is not written yet, and need not be.
 */
export interface DayProof {
  readonly day: Day
  readonly status: "proved" | "wrong" | "unknown" | "pending"
  /** Entries that its digest vouches for. */
  readonly entries?: number
  /** When the service got the digest: the day's entries have been so since then at least. */
  readonly storedAt?: Date
  readonly kid?: string
  /** Why it could not be told. */
  readonly code?: string
}

/** What was proved, and what was not. */
export interface Proof {
  readonly store: string
  /** The days that were looked at; absent when there is none. */
  readonly from?: Day
  readonly to?: Day
  /** Days after it are not closed: nothing can be proved of them yet. */
  readonly lastClosedDay: Day
  /** The first day that has a digest; absent when the first was not among what was looked at. */
  readonly chainBegins?: Day
  readonly days: readonly DayProof[]
  /** In the order of days; at most 1,000 of entries. */
  readonly findings: readonly ProofFinding[]
  /** Findings of entries that are not named: there are too many, or too many days. */
  readonly more: number
  /** The listing or the keys could not be had, with the code why: then no day is proved. */
  readonly incomplete?: string
}

/** 31 when a day could not be told or there was none to tell of, else 30 when something is named, else 0. */
export function judgeProof({ days, findings, incomplete }: Proof): "proved" | "wrong" | "unknown" {
  const isUntold = incomplete !== undefined || days.some(({ status }) => status === "unknown")
  if (isUntold) return "unknown"
  if (findings.length > 0) return "wrong"
  return days.some(({ status }) => status === "proved") ? "proved" : "unknown"
}
