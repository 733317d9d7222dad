import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto"
import { type KeyAndCertificates, readPkcs12 } from "../../shared/certificate/readPkcs12.ts"
import { badParameter } from "./vaultError.ts"
import type { CertificateContentType } from "./vaultObject.ts"

/** A certificate that came with its key; `chain` begins with the certificate of that key. */
export interface ImportedCertificate {
  readonly privateKey: KeyObject
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  readonly contentType: CertificateContentType
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const pemPrivateKey = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/g

/**
 * Opens what an import hands over: a PFX in base64, or a PEM text with the key and its certificates in any
 * order. The certificate of the key comes first in what is kept, then its issuers, then what is left.
 *
 * @param contentType - what the policy of the request says; absent, the value decides.
 * @throws VaultError 400 BadParameter; the message says nothing about the content.
 */
export function readImportedCertificate(
  value: string,
  password: string,
  contentType: CertificateContentType | undefined,
): ImportedCertificate {
  const isPem = value.includes("-----BEGIN")
  const found = contentType ?? (isPem ? "application/x-pem-file" : "application/x-pkcs12")
  if (isPem !== (found === "application/x-pem-file")) {
    throw badParameter("The certificate content is not what 'secret_props.contentType' says")
  }
  const { privateKeys, certificates } = open(value, password, isPem)
  const parsed = certificates.map((der) => new X509Certificate(der))
  for (const privateKey of privateKeys) {
    const publicKey = createPublicKey(privateKey)
    const leaf = parsed.find((certificate) => certificate.publicKey.equals(publicKey))
    if (leaf) return { privateKey, chain: orderChain(leaf, parsed), contentType: found }
  }
  throw badParameter("The certificate content must have a private key and the certificate that belongs to it")
}

function open(value: string, password: string, isPem: boolean): KeyAndCertificates {
  try {
    if (!isPem) return readPkcs12(Buffer.from(value, "base64"), password)
    const keys = value.match(pemPrivateKey) ?? []
    return {
      privateKeys: keys.map((key) => createPrivateKey({ key, passphrase: password })),
      certificates: (value.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem).raw),
    }
  } catch {
    // The cause may quote bytes of the key.
    const format = isPem ? "PEM" : "PKCS#12"
    throw badParameter(
      `The specified ${format} X.509 certificate content can not be read. Please check if certificate is in ` +
        `valid ${format} format.`,
    )
  }
}

function orderChain(
  leaf: X509Certificate,
  all: readonly X509Certificate[],
): readonly [X509Certificate, ...X509Certificate[]] {
  const rest = all.filter((certificate) => certificate !== leaf)
  const issuers: X509Certificate[] = []
  for (let current: X509Certificate | undefined = leaf; current;) {
    const child: X509Certificate = current
    current = rest.find((candidate) => !issuers.includes(candidate) && child.checkIssued(candidate))
    if (current) issuers.push(current)
  }
  return [leaf, ...issuers, ...rest.filter((certificate) => !issuers.includes(certificate))]
}
