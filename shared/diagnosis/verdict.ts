/**
 * `notAsked`: something before it fails, and is told there. `unknown`: could not tell, whatever the cause.
 */
export type HopStatus = "ok" | "failing" | "unknown" | "notAsked"

/** The narrowest change that mends what a verdict names. It opens nothing to everybody. */
export interface Fix {
  readonly what: string
  /** Parameter of `infra/main.bicep`. */
  readonly bicep?: string
  /** Name of a role. */
  readonly role?: string
  readonly az?: readonly string[]
  /** App setting, as `NAME=value`. */
  readonly setting?: string
}

/** What is to be said of one hop. */
export interface Verdict {
  readonly status: HopStatus
  /** Stable name, such as `store.role`; `ok` where nothing is wrong. */
  readonly verdict: string
  readonly says: string
  readonly fix?: Fix
  /** What is worth knowing and changes no verdict. */
  readonly notes?: readonly string[]
}

/** Nothing is wrong. */
export function okVerdict(says: string, notes: readonly string[] = []): Verdict {
  return { status: "ok", verdict: "ok", says, ...(notes.length > 0 ? { notes } : {}) }
}

/** Something is wrong, and this mends it. */
export function failingVerdict(verdict: string, says: string, fix: Fix): Verdict {
  return { status: "failing", verdict, says, fix }
}
