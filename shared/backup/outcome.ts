import type { ServiceError } from "../errors.ts"

/**
 * What became of one change. The words and what follows from each are those of `docs/architecture.md`:
 * everything but `deferred` and `poison` is final.
 */
export type Outcome =
  | {
      readonly outcome: "stored" | "alreadyStored"
      readonly blob: string
      /** The certificate's policy keeps the private key in the vault, so it is not in the record. */
      readonly privateKey?: "absentByPolicy"
    }
  | { readonly outcome: "skipped"; readonly reason: string }
  | { readonly outcome: "unreadable" | "gone"; readonly blob: string; readonly error: ServiceError }
  | { readonly outcome: "deferred"; readonly error: ServiceError }
  | { readonly outcome: "poison"; readonly error: ServiceError }
