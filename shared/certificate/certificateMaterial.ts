import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto"
import { readPkcs12 } from "./readPkcs12.ts"

/** Content types of the secret behind a certificate. */
export const pkcs12ContentType = "application/x-pkcs12"
export const pemContentType = "application/x-pem-file"

/** What the value of a certificate's secret holds. Key Vault writes it without a password. */
export interface CertificateMaterial {
  /** In the order of the value. */
  readonly certificates: readonly X509Certificate[]
  readonly privateKeys: readonly KeyObject[]
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const pemPrivateKey = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/g

/**
 * Opens the value of a certificate's secret: a PFX in base64, or PEM text.
 *
 * @throws TypeError that quotes nothing of the value.
 */
export function openMaterial(value: string, contentType: string | undefined): CertificateMaterial {
  try {
    if (contentType !== pemContentType && !value.includes("-----BEGIN")) {
      const { certificates, privateKeys } = readPkcs12(Buffer.from(value, "base64"), "")
      return { certificates: certificates.map((der) => new X509Certificate(der)), privateKeys }
    }
    return {
      certificates: (value.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem)),
      privateKeys: (value.match(pemPrivateKey) ?? []).map((pem) => createPrivateKey(pem)),
    }
  } catch {
    throw new TypeError(`The value cannot be opened as ${contentType ?? "certificate material"}`)
  }
}

/** SHA-1 of the certificate's DER, in lower-case hex: the thumbprint that Key Vault shows. */
export function thumbprintOf(der: Uint8Array): string {
  return createHash("sha1").update(der).digest("hex")
}

/** SHA-256 of the public half, in hex. It is the same for every encoding of one key, unlike the bytes of a PFX. */
export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex")
}

/**
 * The identity of certificate material: the thumbprint of its leaf and the fingerprint of the private key, if there is
 * one. PFX bytes change on every read, so they identify nothing.
 *
 * @param cer - the certificate's own DER; it picks the leaf, whatever the order.
 * @returns `undefined` when the leaf is not in the material, or a private key belongs to another certificate.
 */
export function materialIdentity(
  { certificates, privateKeys }: CertificateMaterial,
  cer: Uint8Array,
): { readonly thumbprint: string; readonly keyFingerprint?: string } | undefined {
  const thumbprint = thumbprintOf(cer)
  const leaf = certificates.find(({ raw }) => thumbprintOf(raw) === thumbprint)
  if (!leaf) return undefined
  const [key] = privateKeys
  if (!key) return { thumbprint }
  return leaf.checkPrivateKey(key) ? { thumbprint, keyFingerprint: keyFingerprint(key) } : undefined
}

/**
 * Is every issuer of the leaf there, up to one that signed itself? Certificates whose issuer nobody sent are what
 * Key Vault stores when it was given no more, so an incomplete chain is a fact to report, not an error.
 */
export function isChainComplete(leaf: X509Certificate, all: readonly X509Certificate[]): boolean {
  const seen = new Set<X509Certificate>()
  let current = leaf
  while (!current.checkIssued(current)) {
    seen.add(current)
    const child = current
    const issuer = all.find((candidate) => !seen.has(candidate) && child.checkIssued(candidate))
    if (!issuer) return false
    current = issuer
  }
  return true
}
