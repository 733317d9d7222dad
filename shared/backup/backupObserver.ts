import type { PutOutcome } from "../store/backupStore.ts"
import type { LedgerEntry } from "../store/ledgerEntry.ts"

/** The parts of one backup that take time. `read` holds the wait for the vault's turn and the one repetition. */
export const backupStages = ["read", "seal", "put"] as const

export type BackupStage = (typeof backupStages)[number]

/** Who wants to know how a backup goes. It changes nothing, and must not throw. */
export interface BackupObserver {
  /** Does `work` and passes on what it gives or throws. */
  observe<T>(stage: BackupStage, work: () => Promise<T>): Promise<T>
  /** The store has answered for a record (not for a gap record) with this entry. */
  put(entry: LedgerEntry, outcome: PutOutcome): void
}

/** Nobody wants to know. */
export const unobserved: BackupObserver = {
  observe: (_stage, work) => work(),
  put: () => {},
}
