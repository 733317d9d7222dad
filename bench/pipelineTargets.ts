import type { PublicJwk } from "../shared/record/recipients.ts"

/** What the servers of the bench tell their clients. Every token is one of the bench's own authority. */
export interface PipelineTargets {
  readonly caPem: string
  /** `https://127.0.0.1:port`. */
  readonly vaultUrl: string
  /** An account URL that answers every Put Blob with 201 and keeps only the last body. */
  readonly accountUrl: string
  readonly container: string
  readonly vaultToken: string
  readonly blobToken: string
  /** The one recipient, RSA-2048. */
  readonly recipient: PublicJwk
  /** Version URLs of the secrets in the vault. */
  readonly versionUrls: readonly string[]
}

/** Counters of the servers since they were last asked. */
export interface ServerReport {
  readonly puts: number
  readonly bodyBytes: number
  /** User and system time of the servers' process. */
  readonly cpuMicros: number
  /** What is wrong with the last body; absent when it opens and holds the value that the vault has. */
  readonly problem?: string
}

/** Backs up the secret at this index of `versionUrls`, once. Rejects when the backup was not stored. */
export type BackUpOne = (index: number) => Promise<void>
