import type { FileReading, ImportFile } from "./fileKind.ts"

const extensions = /\.(?:pem|pfx|p12|p7b|crt|cer|der)$/i
/** What `openssl pkcs12` writes before the first block. */
const pemStart = /^\uFEFF?\s*(?:-----BEGIN |Bag Attributes\b)/
/** A DER sequence with a length of its own: no UTF-8 text begins so. */
const derStart = (bytes: Buffer): boolean => bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] >= 0x80

/** PEM, PFX and DER, told by the name or by the first bytes. */
export function isCertificateFile({ path, bytes }: ImportFile): boolean {
  return extensions.test(path) || derStart(bytes) || pemStart.test(bytes.subarray(0, 4096).toString("utf8"))
}

/** Answers every such file with one problem. */
export function refuseCertificateFile({ path: file }: ImportFile): FileReading {
  return {
    entries: [],
    problems: [{ file, reason: "certificates are not imported by this release" }],
    notes: [],
  }
}
