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

/** What identifies certificate material, whatever its encoding. */
export interface MaterialIdentity {
  readonly thumbprint: string
  /** Absent when the material has no private key. */
  readonly keyFingerprint?: string
}

/**
 * The identity of certificate material: the thumbprint of its leaf and the fingerprint of the private key, if there is
 * one. PFX bytes change on every read, so they identify nothing.
 *
 * @param cer - the certificate's own DER; it picks the leaf, whatever the order.
 * @returns `undefined` when the leaf is not in the material, or what private keys there are belong to others.
 */
export function materialIdentity(
  { certificates, privateKeys }: CertificateMaterial,
  cer: Uint8Array,
): MaterialIdentity | undefined {
  const leaf = findLeaf(certificates, cer)
  if (!leaf) return undefined
  const thumbprint = thumbprintOf(cer)
  if (privateKeys.length === 0) return { thumbprint }
  const key = privateKeys.find((candidate) => leaf.checkPrivateKey(candidate))
  return key ? { thumbprint, keyFingerprint: keyFingerprint(key) } : undefined
}

/**
 * Is every issuer of the leaf there, up to one that signed itself? Certificates whose issuer nobody sent are what
 * Key Vault stores when it was given no more, so an incomplete chain is a fact to report, not an error.
 *
 * @param cer - DER of the leaf. It need not be among `certificates`, whose order does not matter.
 */
export function isChainComplete(cer: Uint8Array, certificates: readonly X509Certificate[]): boolean {
  const seen = new Set<X509Certificate>()
  for (let current = new X509Certificate(cer); !isSelfSigned(current);) {
    const child = current
    const issuer = certificates.find((candidate) => !seen.has(candidate) && isIssuer(candidate, child))
    if (!issuer) return false
    seen.add(issuer)
    current = issuer
  }
  return true
}

function findLeaf(certificates: readonly X509Certificate[], cer: Uint8Array): X509Certificate | undefined {
  return certificates.find(({ raw }) => raw.equals(cer))
}

/** Its key usage is not asked: what a vault signs with its own key need not be allowed to sign certificates. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey)
}

/** By name, key identifier and signature: a name alone anybody can take. */
function isIssuer(issuer: X509Certificate, child: X509Certificate): boolean {
  return child.checkIssued(issuer) && child.verify(issuer.publicKey)
}
