import type { VersionReading } from "../backup/readVersion.ts"
import { materialIdentity, openMaterial } from "../certificate/certificateMaterial.ts"
import type { BackupRecord } from "../record/record.ts"

/**
 * Does an opened record hold what the vault holds? A secret's value must be equal to the byte. A certificate must be the
 * same by thumbprint and by the fingerprint of its private key: the bytes of a PFX change on every read.
 */
export function isSame(record: BackupRecord, { secret, certificate }: VersionReading): boolean {
  const value = secret.value?.reveal()
  if (value === undefined) return false
  if (!certificate) return record.certificate === undefined && value === record.value
  if (!record.certificate) return false
  const cer = Buffer.from(record.certificate.cer, "base64")
  if (!cer.equals(certificate.cer)) return false
  const stored = identityOf(record.value, record.contentType, cer)
  const held = identityOf(value, secret.contentType, cer)
  if (stored === undefined || held === undefined || stored.keyFingerprint !== held.keyFingerprint)
    return false
  return (stored.keyFingerprint === undefined) === (record.certificate.privateKey === "absentByPolicy")
}

function identityOf(value: string, contentType: string | undefined, cer: Uint8Array) {
  try {
    return materialIdentity(openMaterial(value, contentType), cer)
  } catch {
    return undefined
  }
}
