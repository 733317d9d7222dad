import type { VersionReading } from "../backup/readVersion.ts"
import {
  type CertificateMaterial,
  isChainComplete,
  materialIdentity,
  openMaterial,
} from "../certificate/certificateMaterial.ts"
import type { BackupRecord } from "../record/record.ts"

/**
 * Does an opened record hold what the vault holds? A secret's value must be equal to the byte. A certificate must be the
 * same by thumbprint and by the fingerprint of its private key, since the bytes of a PFX change on every read; and no
 * certificate of the vault's chain may be missing.
 */
export function isSame(record: BackupRecord, { secret, certificate }: VersionReading): boolean {
  const value = secret.value?.reveal()
  if (value === undefined) return false
  if (!certificate) return record.certificate === undefined && value === record.value
  if (!record.certificate) return false
  const cer = Buffer.from(record.certificate.cer, "base64")
  if (!cer.equals(certificate.cer)) return false
  const stored = open(record.value, record.contentType)
  const held = open(value, secret.contentType)
  // What nobody here can open is the same only to the byte.
  if (!stored || !held) return value === record.value
  const [ours, theirs] = [materialIdentity(stored, cer), materialIdentity(held, cer)]
  if (!ours || !theirs || ours.keyFingerprint !== theirs.keyFingerprint) return false
  if ((ours.keyFingerprint === undefined) !== (record.certificate.privateKey === "absentByPolicy"))
    return false
  return held.certificates.every(({ raw }) => stored.certificates.some((other) => other.raw.equals(raw)))
}

/**
 * Does a certificate's record hold every issuer up to one that signed itself? Vaults often hold less, so that is told
 * and is no fault of the record. `undefined` of a secret, and of a value that cannot be opened.
 */
export function chainOf({ certificate, value, contentType }: BackupRecord) {
  const material = certificate && open(value, contentType)
  if (!material) return undefined
  const cer = Buffer.from(certificate.cer, "base64")
  return isChainComplete(cer, material.certificates) ? "complete" : "incomplete"
}

function open(value: string, contentType: string | undefined): CertificateMaterial | undefined {
  try {
    return openMaterial(value, contentType)
  } catch {
    return undefined
  }
}
