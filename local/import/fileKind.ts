import type { PasswordSource } from "./passwordSource.ts"

/** Something to tell the person about a file, at a line where there is one. Names lines and names, never values. */
export interface Remark {
  /** The path as it was given. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  readonly reason: string
}

/** A file that was read whole. */
export interface ImportFile {
  /** The path as it was given. */
  readonly path: string
  readonly bytes: Buffer
}

/** A name and its value as the file has them. Whether a vault may hold them is not yet asked. */
export interface ImportEntry {
  readonly name: string
  readonly value: string
  /** Where the entry begins, from 1. */
  readonly line: number
}

/** A certificate with its private key, as a vault imports it. */
export interface ImportCertificate {
  /** As the file is called. Whether a vault may hold it is not yet asked. */
  readonly name: string
  /** A PFX without password in base64, or PEM text. */
  readonly value: string
  readonly contentType: "application/x-pkcs12" | "application/x-pem-file"
}

/** What one file holds. Entries have different names, in the order in which each name first appears. */
export interface FileReading {
  readonly entries: readonly ImportEntry[]
  readonly certificates?: readonly ImportCertificate[]
  /** What was left out, and why. */
  readonly problems: readonly Remark[]
  /** What was read, but perhaps not as meant. */
  readonly notes: readonly Remark[]
}

/** One kind of file that can be imported. A further kind is one more of these in `fileKinds`. */
export interface FileKind {
  /** Looks at the name and at the first bytes; the first kind that claims a file reads it. */
  claims(file: ImportFile): boolean
  /** Never throws for what a file holds: that is a problem of the reading. */
  read(file: ImportFile, passwords: PasswordSource): FileReading | Promise<FileReading>
}
