import type { ChangeEvidence, Origin } from "./change.ts"

/** What any of the three forms of a message says, before it is judged. */
export interface ChangeNotice {
  /** The text that should be a version URL: the authority on which object version is meant. */
  readonly id?: string
  /** The name the sender knows it by, for error texts. */
  readonly idLabel: "data.Id" | "change.id"
  readonly origin: Origin
  readonly event: ChangeEvidence
  readonly claims: ObjectClaims
}

/** What else a message says about its object. Only ever compared with the id; absent is no contradiction. */
export interface ObjectClaims {
  readonly vaultName?: string
  readonly objectType?: string
  readonly objectName?: string
  readonly version?: string
}

/** The given members without those that are `undefined`. */
export function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
