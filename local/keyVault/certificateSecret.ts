import { createPrivateKey, type KeyObject } from "node:crypto"
import { toPem } from "../tls/signCertificate.ts"
import { writePkcs12 } from "./writePkcs12.ts"
import type { CertificateVersion } from "./vaultObject.ts"

const opened = new WeakMap<object, KeyObject>()

/** The private key of a version, parsed once. */
export function privateKeyOf(version: { readonly privateKey: string }): KeyObject {
  const known = opened.get(version)
  if (known) return known
  const key = createPrivateKey(version.privateKey)
  opened.set(version, key)
  return key
}

/**
 * The value of the secret that stands behind a certificate: a PFX without password in base64, whose bytes
 * differ on each read, or the PKCS#8 key and the chain in PEM. Without the key unless it is exportable.
 */
export function certificateSecretValue(version: CertificateVersion): string {
  const chain = version.chain.map((base64) => Buffer.from(base64, "base64"))
  if (version.contentType === "application/x-pkcs12") {
    return writePkcs12(version.exportable ? privateKeyOf(version) : undefined, chain).toString("base64")
  }
  const certificates = chain.map((der) => toPem(der, "CERTIFICATE")).join("")
  return version.exportable ? `${version.privateKey}${certificates}` : certificates
}
