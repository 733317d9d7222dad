import type { ServiceError } from "../errors.ts"
import type { BackupRecord } from "../record/record.ts"
import type { NewerGap } from "./selectRecords.ts"

/** Something about a restore that is no failure and that a person should know. */
export type RestoreNote =
  /** The version has as many tags as one can have, so it is restored without `kvb-restored-from`. */
  | { readonly note: "tagsFull" }
  /** It is restored disabled, as it was, and so cannot be read back. */
  | { readonly note: "disabled" }
  /** The record has no private key. */
  | { readonly note: "publicOnly" }
  /** The certificate, or the secret by its own attribute, has expired. */
  | { readonly note: "expired" }
  /** The vault did not take the certificate's policy; it made one of its own. */
  | { readonly note: "policyNotKept" }
  /** The target has the contents, and these attributes are others. */
  | { readonly note: "attributesDiffer"; readonly attributes: readonly string[] }
  /** A newer version could not be backed up, so this is not the last one there was. */
  | ({ readonly note: "newerWithoutRecord" } & NewerGap)

/** What stands at the place a record would be restored to. */
export type TargetState =
  | { readonly state: "free"; readonly notes: readonly RestoreNote[] }
  /** The same contents are there; `where` is the version's URL or the file. */
  | { readonly state: "same"; readonly where: string; readonly notes: readonly RestoreNote[] }
  | { readonly state: "blocked"; readonly error: ServiceError; readonly notes: readonly RestoreNote[] }

/** What was written. */
export interface Restored {
  /** URL of the new version, or the file. */
  readonly where: string
  /** Was it read back and compared? */
  readonly isCompared: boolean
  readonly notes: readonly RestoreNote[]
}

/** Where records are restored to. It never overwrites anything. */
export interface RestoreTarget {
  /** Exactly one of the two; `host` is the vault's. */
  readonly place: { readonly vault: string; readonly host: string } | { readonly directory: string }

  /**
   * What stands under `name`, and what else stands in the way of this record. Writes nothing; safe to repeat.
   *
   * @throws ServiceError when it cannot be told.
   */
  look(record: BackupRecord, name: string, options?: { readonly signal?: AbortSignal }): Promise<TargetState>

  /**
   * Writes a record whose place was found free, reads it back and compares it. Not safe to repeat without a look.
   *
   * @throws ServiceError ERR_RESTORE_DIFFERS when it does not read back as it is in the record; ERR_RESTORE_TARGET_EXISTS
   * and ERR_RESTORE_TARGET_DELETED when its place was taken meanwhile; else what the target throws.
   */
  write(record: BackupRecord, name: string, options?: { readonly signal?: AbortSignal }): Promise<Restored>
}
