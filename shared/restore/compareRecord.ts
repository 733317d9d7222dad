import type { VersionReading } from "../backup/readVersion.ts"
import {
  type CertificateMaterial,
  isChainComplete,
  materialIdentity,
  openMaterial,
} from "../certificate/certificateMaterial.ts"
import type { BackupRecord } from "../record/record.ts"
import { restoredTag } from "../vault/restoredTag.ts"

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
 * Names of the attributes in which a vault's version is not as the record says: `contentType`, `tags` and, where they
 * can be chosen, `enabled`, `notBefore` and `expires`. A tag that restore sets itself is left out on both sides.
 */
export function differencesOf(record: BackupRecord, { secret, certificate }: VersionReading): string[] {
  const { attributes, tags } = certificate ?? secret
  const pairs: Readonly<Record<string, readonly [unknown, unknown]>> = {
    contentType: [record.contentType, secret.contentType],
    tags: [tagsText(record.tags), tagsText(tags)],
    enabled: [record.attributes.enabled, attributes.enabled],
    // A certificate's times are in the certificate itself.
    ...(certificate
      ? {}
      : {
          notBefore: [timeOf(record.attributes.notBefore), attributes.notBefore?.getTime()],
          expires: [timeOf(record.attributes.expires), attributes.expires?.getTime()],
        }),
  }
  return Object.keys(pairs).filter((name) => pairs[name]?.[0] !== pairs[name]?.[1])
}

function tagsText(tags: Readonly<Record<string, string>>): string {
  const own = Object.entries(tags).filter(([name]) => name !== restoredTag)
  return JSON.stringify(own.sort(([one], [other]) => (one < other ? -1 : 1)))
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}

/**
 * Does a certificate's record hold what it says of itself: its own leaf with that leaf's key, or without one where the
 * policy kept it? True of a secret, and of what cannot be opened here.
 */
export function isWhole({ certificate, value, contentType }: BackupRecord): boolean {
  const material = certificate && open(value, contentType)
  if (!material) return true
  const identity = materialIdentity(material, Buffer.from(certificate.cer, "base64"))
  if (!identity) return false
  return (identity.keyFingerprint === undefined) === (certificate.privateKey === "absentByPolicy")
}

/** Does the vault hold every certificate of the record's chain? True of a secret, and of what cannot be opened here. */
export function hasWholeChain(record: BackupRecord, { secret }: VersionReading): boolean {
  const value = secret.value?.reveal()
  const stored = record.certificate && open(record.value, record.contentType)
  const held = value === undefined ? undefined : open(value, secret.contentType)
  if (!stored || !held) return true
  return stored.certificates.every(({ raw }) => held.certificates.some((other) => other.raw.equals(raw)))
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
